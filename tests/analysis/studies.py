"""Small finished studies for the verbs that answer: several rows and targets, known scores, costs and settings."""

from collections.abc import Mapping
from pathlib import Path

from stilts.analysis.results import StudyResults
from stilts.study.record import Column, Replicate, Row
from tests.analysis.fake_store import FakeStore, evaluate, record, replicate

SEEDS = (1, 2, 3)


def finished(
    folder: Path,
    columns: Mapping[Column, Mapping[str, float]],
    *,
    seeds: tuple[int, ...] = SEEDS,
    rows: tuple[Row, ...] = (),
    selection: str = "english_dev",
    **changes: object,
) -> StudyResults:
    """A study with these scores per column and row, one point up with each seed; rows are those that are scored."""
    store = FakeStore(folder)
    names = list(dict.fromkeys(name for scores in columns.values() for name in scores))
    items: list[Replicate] = []
    for column, scores in columns.items():
        for name, score in scores.items():
            for seed in seeds:
                item = replicate(name, column, None if name == "none" else seed, seed)
                evaluate(store, item, score + seed)
                train(store, item)
                items.append(item)
    made = record(rows or [Row(name=name) for name in names], list(columns), items, selection=selection, **changes)
    return StudyResults(record=made, store=store, draws=200)  # type: ignore[arg-type]


def train(store: FakeStore, item: Replicate, **config: object) -> None:
    """Publishes the replicate's train stages: an hour the intermediate, half an hour the target."""
    if item.intermediate_stage is not None:
        store.train(item.intermediate_stage, seconds=3600.0, **config)  # type: ignore[arg-type]
    if item.target_stage is not None:
        store.train(item.target_stage, seconds=1800.0)
