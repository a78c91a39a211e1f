"""Nearest neighbours in blocks: what they find, and the memory that they take."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stilts.errors import InputError
from stilts.metrics.neighbours import cosines, neighbours

SEARCH = """
import json, resource, numpy as np
from stilts.metrics.neighbours import neighbours
stream = np.random.default_rng(0)
made = [stream.standard_normal(({rows}, {width}), dtype=np.float32) for rows in ({queries}, {candidates})]
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
found = neighbours(*made, 4)
after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(json.dumps([before / 2**20, after / 2**20, int(found.places.max())]))
"""


def peak_gib(queries: int, candidates: int, width: int) -> tuple[float, float]:
    """Peak resident memory of a fresh process before and after a search, in GiB (Linux counts KiB)."""
    code = SEARCH.format(rows="rows", width=width, queries=queries, candidates=candidates)
    root = Path(__file__).parents[2]
    told = subprocess.run([sys.executable, "-c", code], cwd=root, check=True, capture_output=True, text=True).stdout
    before, after, last = json.loads(told)
    assert last < candidates
    return before, after


def brute(queries: np.ndarray, candidates: np.ndarray, k: int) -> np.ndarray:
    similarity = queries @ candidates.T
    return np.argsort(-similarity, axis=1, kind="stable")[:, :k]


@settings(deadline=None)
@given(
    st.integers(1, 12), st.integers(1, 12), st.integers(1, 6), st.integers(1, 5), st.integers(1, 5), st.integers(0, 99)
)
def test_blocks_find_what_a_full_sort_finds(rows: int, pool: int, k: int, block: int, other: int, seed: int) -> None:
    # Signed unit axes: cosines are exactly -1, 0 or 1, so ties abound and the lowest place must come first.
    stream = np.random.default_rng(seed)
    axes = np.concatenate([np.eye(3), -np.eye(3), np.zeros((1, 3))]).astype(np.float32)
    queries, candidates = axes[stream.integers(0, 7, rows)], axes[stream.integers(0, 7, pool)]
    found = neighbours(queries * 3, candidates * 2, k, query_block=block, candidate_block=other)
    assert found.places.tolist() == brute(queries, candidates, k).tolist()
    assert (found.similarity == cosines(queries, candidates, found.places)).all()


def test_a_memory_mapped_pool_gives_the_same(tmp_path: Path) -> None:
    stream = np.random.default_rng(1)
    queries, candidates = stream.standard_normal((40, 16)), stream.standard_normal((300, 16))
    np.save(tmp_path / "pool.npy", candidates)
    mapped = np.load(tmp_path / "pool.npy", mmap_mode="r")
    whole, blocks = neighbours(queries, candidates, 5), neighbours(queries, mapped, 5, candidate_block=64)
    assert (whole.places == blocks.places).all()
    assert whole.similarity == pytest.approx(blocks.similarity, abs=1e-6)


@pytest.mark.parametrize("shapes", [((3, 4), (3, 5)), ((3, 4), (0, 4)), ((3,), (3, 4))])
def test_what_cannot_be_compared_is_refused(shapes: tuple[tuple[int, ...], tuple[int, ...]]) -> None:
    with pytest.raises(InputError, match="nearest neighbours"):
        neighbours(np.ones(shapes[0]), np.ones(shapes[1]), 1)


def test_memory_does_not_hold_the_similarities() -> None:
    # 2,000 x 200,000 similarities alone would be 1.5 GiB.
    before, after = peak_gib(2_000, 200_000, 16)
    assert after - before < 0.3


@pytest.mark.slow
def test_twenty_thousand_by_twenty_thousand_of_768_stay_under_half_a_gibibyte() -> None:
    assert peak_gib(20_000, 20_000, 768)[1] < 0.5
