"""Time and memory of exact nearest-neighbour search in blocks, each size in a fresh process.

    python benchmarks/retrieval.py --sizes 20000x20000 100000x100000 --threads 1 2
    python benchmarks/retrieval.py --sizes 1000x1000000 --mapped

Vectors are random float32. ``peak_gib`` is the process's peak resident memory, both sides' vectors included; with
``--mapped`` they are memory-mapped files, whose pages the system counts as resident too but may drop. ``cpu_ms`` is
processor time, which other work on the machine does not lengthen much; ``reference`` is that of one plain product of a
block with a block, the floor for any exact search. Prints one JSON object per run.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from stilts.metrics.neighbours import CANDIDATE_BLOCK, QUERY_BLOCK, neighbours


def vectors(rows: int, width: int, seed: int, folder: str | None) -> np.ndarray:
    """Random vectors, (rows, width), in memory or in a file of the folder; made a block at a time."""
    shape = (rows, width)
    if folder is None:
        made = np.empty(shape, np.float32)
    else:
        made = np.lib.format.open_memmap(Path(folder, f"{seed}.npy"), mode="w+", dtype=np.float32, shape=shape)
    stream = np.random.default_rng(seed)
    for start in range(0, rows, CANDIDATE_BLOCK):
        block = made[start : start + CANDIDATE_BLOCK]
        block[:] = stream.standard_normal(block.shape, dtype=np.float32)
    return made


def product_seconds(queries: np.ndarray, candidates: np.ndarray) -> float:
    """Processor seconds per million pairs of a bare product of one block with another, best of three."""
    left, right = np.asarray(queries[:QUERY_BLOCK]), np.asarray(candidates[:CANDIDATE_BLOCK])
    best = float("inf")
    for _ in range(3):
        started = time.process_time()
        left @ right.T
        best = min(best, time.process_time() - started)
    return best / (len(left) * len(right) / 1e6)


def measure(given: argparse.Namespace) -> dict[str, float]:
    queries, candidates = (int(part) for part in given.child.split("x"))
    with tempfile.TemporaryDirectory() as name:
        folder = name if given.mapped else None
        left, right = vectors(queries, given.width, 1, folder), vectors(candidates, given.width, 2, folder)
        started, cpu_started = time.perf_counter(), time.process_time()
        found = neighbours(left, right, given.k)
        seconds, cpu = time.perf_counter() - started, time.process_time() - cpu_started
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20  # Linux counts KiB
        reference = product_seconds(left, right)
    assert found.places.shape == (queries, min(given.k, candidates))
    millions = queries * candidates / 1e6
    return {
        "queries": queries,
        "candidates": candidates,
        "width": given.width,
        "k": given.k,
        "threads": int(os.environ["OPENBLAS_NUM_THREADS"]),
        "seconds": round(seconds, 2),
        "ms_per_million_pairs": round(1000 * seconds / millions, 2),
        "cpu_ms_per_million_pairs": round(1000 * cpu / millions, 2),
        "reference_cpu_ms_per_million_pairs": round(1000 * reference, 2),
        "peak_gib": round(peak, 3),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", nargs="+", default=["20000x20000"], metavar="QUERIESxCANDIDATES")
    parser.add_argument("--width", type=int, default=768)
    parser.add_argument("--k", type=int, default=4)
    parser.add_argument("--threads", type=int, nargs="+", default=[1])
    parser.add_argument("--mapped", action="store_true", help="Vectors in memory-mapped files.")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.child:
        print(json.dumps(measure(given)), flush=True)
        return
    for size in given.sizes:
        for threads in given.threads:
            number = str(threads)
            environment = {**os.environ, "OPENBLAS_NUM_THREADS": number, "OMP_NUM_THREADS": number}
            again = [sys.executable, __file__, "--child", size, "--width", str(given.width), "--k", str(given.k)]
            again += ["--mapped"] if given.mapped else []
            subprocess.run(again, env=environment, check=True)


if __name__ == "__main__":
    main()
