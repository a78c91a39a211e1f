"""Torch's index finds what numpy's finds."""

import numpy as np
import pytest
import torch

from stilts.kinds.nearest_index import device_index, torch_index
from stilts.metrics.mining import mine
from stilts.metrics.neighbours import exact_index, neighbours
from tests.training.tiny import run_device

pytestmark = pytest.mark.on_device


def test_it_finds_what_numpy_finds() -> None:
    index = torch_index(run_device())
    stream = np.random.default_rng(0)
    queries, candidates = stream.standard_normal((50, 12)), stream.standard_normal((90, 12))
    wanted = neighbours(queries, candidates, 4)
    found = neighbours(queries, candidates, 4, index=index, query_block=16, candidate_block=25)
    assert (found.places == wanted.places).all()
    assert found.similarity == pytest.approx(wanted.similarity, abs=1e-6)
    assert mine(queries, candidates, index=index).margin == pytest.approx(mine(queries, candidates).margin, abs=1e-12)


def test_torch_names_the_first_among_equals() -> None:
    candidates = np.array([[0.0, 1.0], [1.0, 0.0], [2.0, 0.0], [1.0, 0.0]])
    found = neighbours(np.array([[1.0, 0.0]]), candidates, 3, index=torch_index(run_device()))
    assert found.places.tolist() == [[1, 2, 3]]


def test_on_the_cpu_figures_stay_numpys() -> None:
    assert device_index(torch.device("cpu")) is exact_index
