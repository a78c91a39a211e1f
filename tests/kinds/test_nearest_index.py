"""Every index finds what numpy's finds."""

import importlib
import sys
from collections.abc import Callable
from types import ModuleType

import numpy as np
import pytest
import torch

from stilts.errors import MissingPackageError
from stilts.kinds.nearest_index import device_index, faiss_index, torch_index
from stilts.metrics.mining import mine
from stilts.metrics.neighbours import Index, exact_index, neighbours


def installed_faiss() -> Index:
    pytest.importorskip("faiss")
    return faiss_index()


INDEXES: dict[str, Callable[[], Index]] = {"torch": lambda: torch_index(torch.device("cpu")), "faiss": installed_faiss}


@pytest.mark.parametrize("name", INDEXES)
def test_it_finds_what_numpy_finds(name: str) -> None:
    index = INDEXES[name]()
    stream = np.random.default_rng(0)
    queries, candidates = stream.standard_normal((50, 12)), stream.standard_normal((90, 12))
    wanted = neighbours(queries, candidates, 4)
    found = neighbours(queries, candidates, 4, index=index, query_block=16, candidate_block=25)
    assert (found.places == wanted.places).all()
    assert found.similarity == pytest.approx(wanted.similarity, abs=1e-6)
    assert mine(queries, candidates, index=index).margin == pytest.approx(mine(queries, candidates).margin, abs=1e-12)


def test_torch_names_the_first_among_equals() -> None:
    candidates = np.array([[0.0, 1.0], [1.0, 0.0], [2.0, 0.0], [1.0, 0.0]])
    found = neighbours(np.array([[1.0, 0.0]]), candidates, 3, index=torch_index(torch.device("cpu")))
    assert found.places.tolist() == [[1, 2, 3]]


def test_on_the_cpu_figures_stay_numpys() -> None:
    assert device_index(torch.device("cpu")) is exact_index


def test_without_faiss_the_error_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(name: str) -> ModuleType:
        raise ImportError(name)

    monkeypatch.delitem(sys.modules, "faiss", raising=False)
    monkeypatch.setattr(importlib, "import_module", absent)
    with pytest.raises(MissingPackageError, match=r"pip install 'stilts\[faiss\]'"):
        faiss_index()
