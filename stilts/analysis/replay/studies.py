"""A finished study as a recorded world: selection scores choose, report scores judge, its seconds are the price."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from statistics import fmean

import numpy as np

from stilts.analysis.matrix import replicate_scores
from stilts.analysis.replay.world import World
from stilts.analysis.results import StudyResults
from stilts.errors import InputError
from stilts.study.record import Replicate


def world_of_study(results: StudyResults) -> World:
    """The world of a study. Sources are its rows, ``none`` included, and each proposal of a searched row.

    Targets are the columns with a selection score. A cell's replicates are its seeds. A source pays for its
    intermediate's training per seed, and each target for its own training and evaluation. InputError where nothing is
    done of it.
    """
    chosen = _done(results, "select")
    judged = _done(results, "report")
    cells: dict[tuple[str, str], list[Replicate]] = {}
    for replicate in results.record.replicates:
        if replicate.replicate_id in chosen and replicate.replicate_id in judged:
            cells.setdefault((_source(replicate), replicate.column), []).append(replicate)
    if not cells:
        raise InputError(
            f'replay of "{results.record.name}"',
            "no replicate has both a selection and a report score",
            "A policy chooses by the one and is judged by the other",
            "Run the study first; retrieval targets have no selection score under english_dev",
        )
    sources = tuple(dict.fromkeys(source for source, _ in cells))
    targets = tuple(column.name for column in results.record.columns if any(name == column.name for _, name in cells))
    shape = (len(sources), len(targets), max(len(found) for found in cells.values()))
    scores, report, cost = np.full(shape, np.nan), np.full(shape[:2], np.nan), np.zeros(shape[:2])
    for (source, target), found in cells.items():
        s, t = sources.index(source), targets.index(target)
        scores[s, t, : len(found)] = [chosen[replicate.replicate_id] for replicate in found]
        report[s, t] = fmean(judged[replicate.replicate_id] for replicate in found)
        cost[s, t] = _mean_seconds(results, [(*results.record.target_stages(one), one.evaluate_stage) for one in found])
    stage = [_training(results, source, cells) for source in sources]
    return World(
        name=results.record.name,
        sources=sources,
        targets=targets,
        scores=scores,
        cell_cost=cost,
        stage_cost=np.array(stage),
        report=report,
    )


def _done(results: StudyResults, use: str) -> dict[str, float]:
    table = replicate_scores(results.frame, use).dropna(subset=["score"])
    return dict(zip(table["replicate_id"], table["score"].astype(float), strict=True))


def _source(replicate: Replicate) -> str:
    return replicate.row if replicate.proposal is None else f"{replicate.row}/{replicate.proposal:04d}"


def _training(results: StudyResults, source: str, cells: dict[tuple[str, str], list[Replicate]]) -> float:
    """Mean seconds of one training of the source's intermediate."""
    found = [replicate for (name, _), several in cells.items() if name == source for replicate in several]
    return _mean_seconds(results, [(replicate.intermediate_stage,) for replicate in found])


def _mean_seconds(results: StudyResults, stages: Sequence[Iterable[str | None]]) -> float:
    seconds = results.view.seconds
    return fmean(sum(seconds.get(stage, 0.0) for stage in some if stage) for some in stages)
