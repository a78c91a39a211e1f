"""Recorded worlds from CSV: ``source,target,score[,seed][,fidelity][,cost_s]`` or ``mixture,target,score``."""

from __future__ import annotations

import io
import math
from pathlib import Path

import numpy as np
import pandas as pd

from stilts.analysis.replay.mixtures import composition_features
from stilts.analysis.replay.world import FloatArray, World
from stilts.bounded_file import read_bounded
from stilts.errors import DataError, InputError

# A recorded matrix has a row per trial: thousands, of some 40 bytes each.
_MOST_BYTES = 256 * 2**20
# Scores are kept as one array over sources, targets, seeds and fidelities, 8 bytes each: 0.8 GB.
_MOST_PLACES = 100_000_000


def read_world(path: Path, full_fidelity: float | None = None) -> World:
    """The world of a table. ``full_fidelity``: the one that counts, by default the highest.

    Of other fidelities the lowest is the world's cheap look (its first seed), where it is below that; the rest is left
    out.

    DataError for a table without the columns, with scores that are no numbers, or with the same trial twice.
    """
    frame = _read(path)
    if full_fidelity is not None:
        if full_fidelity not in set(frame["fidelity"]):
            known = ", ".join(f"{value:g}" for value in sorted(set(frame["fidelity"])))
            raise InputError(f"full fidelity {full_fidelity:g}", f"{path.name} has {known}", "", "Give one of these")
        frame = frame[frame["fidelity"] <= full_fidelity]
    axes = [tuple(sorted(set(frame[name]))) for name in ("source", "target", "seed", "fidelity")]
    _check_size(path, [len(axis) for axis in axes], len(frame))
    places = tuple(pd.Categorical(frame[name], axis).codes for name, axis in zip(_AXES, axes, strict=True))
    scores = np.full([len(axis) for axis in axes], np.nan)
    scores[places] = frame["score"].to_numpy(float)
    sources, targets, _, fidelities = axes
    costs = _costs(frame, places, scores.shape, np.array(fidelities, float))
    looked = len(fidelities) > 1
    return World(
        name=path.stem,
        sources=sources,
        targets=targets,
        scores=scores[:, :, :, -1],
        cell_cost=costs[:, :, -1],
        features=composition_features(sources, targets) if "mixture" in frame.columns else None,
        look=scores[:, :, 0, 0] if looked else None,
        look_frac=float(costs[:, :, 0].mean() / costs[:, :, -1].mean()) if looked else 0.0,
    )


_AXES = ("source", "target", "seed", "fidelity")


def _read(path: Path) -> pd.DataFrame:
    frame = _table(path)
    if "mixture" in frame.columns:
        frame["source"] = frame["mixture"]
    lacking = [name for name in ("source", "target", "score") if name not in frame.columns]
    if lacking:
        raise DataError(
            path,
            f"there is no column {', '.join(lacking)}; it has {', '.join(frame.columns)}",
            why="A recorded world needs a source (or mixture), a target and a score",
            next_step="Write the header source,target,score[,seed][,fidelity][,cost_s]",
        )
    for name, default in (("seed", 0), ("fidelity", 1.0)):
        if name not in frame.columns:
            frame[name] = default
    for name in ("score", "fidelity", *(["cost_s"] if "cost_s" in frame.columns else [])):
        _numbers(path, frame, name)
    twice = frame.duplicated(list(_AXES))
    if twice.any():
        raise DataError(path, "the same trial stands there twice", line=int(np.argmax(twice.to_numpy())) + 2)
    return frame


def _table(path: Path) -> pd.DataFrame:
    """The CSV as it stands there; DataError for what is no file, too large, no UTF-8 or no table."""
    data = io.BytesIO(read_bounded(path, _MOST_BYTES))
    names = {"target": str, "source": str, "mixture": str}
    try:
        frame = pd.read_csv(data, keep_default_na=False, dtype=names, low_memory=False)  # a column has one type
    except (ValueError, OverflowError) as error:  # pandas' own errors of form and of coding are ValueErrors
        found = f"it cannot be read as CSV ({str(error).strip()[:200]})"
        raise DataError(path, found, next_step="Correct the line, and save the file as UTF-8") from error
    if not isinstance(frame.index, pd.RangeIndex):  # pandas takes the first of too many cells for names of rows
        raise DataError(path, "more cells than the header has names", line=2, next_step="Correct the header")
    return frame


def _check_size(path: Path, lengths: list[int], num_rows: int) -> None:
    """Raises DataError where a table names so many different things that the array of all fills the memory."""
    if math.prod(lengths) > _MOST_PLACES:
        sources, targets, seeds, fidelities = lengths
        raise DataError(
            path,
            f"{num_rows} rows name {sources} sources, {targets} targets, {seeds} seeds and {fidelities} fidelities",
            why="A recorded matrix holds most of the trials that these make; here they would not fit into memory",
            next_step="Check that the columns are what their names say",
        )


def _numbers(path: Path, frame: pd.DataFrame, name: str) -> None:
    """Makes a column numbers, in place; an empty score is a trial that failed."""
    column = frame[name]
    if column.dtype == object:  # whole numbers of hundreds of digits, which are no numbers here, are refused as text
        column = column.astype(str)
    values = pd.to_numeric(column, errors="coerce")
    bad = ~np.isfinite(values) & ~((frame[name] == "") & (name == "score"))
    if bad.any():
        line = int(np.argmax(bad.to_numpy()))
        raise DataError(path, f"{repr(frame[name][line])[:60]} is no number", line=line + 2, field=name)
    frame[name] = values


def _costs(
    frame: pd.DataFrame, places: tuple[np.ndarray, ...], shape: tuple[int, ...], fidelities: FloatArray
) -> FloatArray:
    """Price of a trial per (source, target, fidelity): mean seconds where recorded, else in proportion to fidelity."""
    by_fidelity = fidelities / fidelities[-1] if fidelities[-1] > 0 else np.ones(len(fidelities))
    costs = np.broadcast_to(by_fidelity, (shape[0], shape[1], shape[3])).copy()
    if "cost_s" not in frame.columns:
        return costs
    seconds = np.full(shape, np.nan)
    seconds[places] = frame["cost_s"].to_numpy(float)
    known = np.isfinite(seconds)
    count = known.sum(axis=2)
    mean = np.where(known, seconds, 0).sum(axis=2) / np.maximum(count, 1)
    typical = float(np.nanmean(seconds))
    out: FloatArray = np.where(count > 0, mean, typical * costs)
    return out
