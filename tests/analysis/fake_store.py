"""A store of finished evaluations in a folder, and studies with known scores to fill it: no training."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from stilts.analysis.matrix import load_matrix
from stilts.errors import StoreError
from stilts.fingerprint import Json
from stilts.ledger.view import StudyView
from stilts.metrics.metric import metric
from stilts.seeds import derive_seed
from stilts.study.record import Column, Replicate, Row, StageFacts, StudyRecord
from tests.ledger.reading import ReadFromDicts

LANGUAGES = ("en", "de", "sw", "zh")


class FakeStore(ReadFromDicts):
    """The reading half of ArtifactStore over a temporary folder."""

    url = "fake://"

    def __init__(self, root: Path) -> None:
        self.root = root
        self.results: dict[str, dict[str, Json]] = {}
        self.notes: dict[str, Json] = {}
        self.leases: set[str] = set()
        self.payloads: dict[str, dict[str, Json]] = {}

    def done(self) -> frozenset[str]:
        return frozenset(self.results)

    def is_done(self, key: str) -> bool:
        return key in self.results

    def result(self, key: str) -> dict[str, Json]:
        if key not in self.results:
            raise StoreError(key, "no such artifact")
        return self.results[key]

    def payload(self, key: str) -> dict[str, Json]:
        if key not in self.payloads:
            raise StoreError(key, "no such artifact")
        return self.payloads[key]

    def gone(self, key: str) -> bool:
        return False

    def fetch(self, key: str) -> Path:
        return self.root / key

    def leased(self) -> frozenset[str]:
        return frozenset(self.leases)

    def published(self) -> Mapping[str, tuple[Mapping[str, Json], Mapping[str, Json]]]:
        return {key: (self.payloads.get(key, {}), result) for key, result in self.results.items()}

    def noted(self) -> Mapping[str, Json]:
        return self.notes

    def train(self, stage: str, *, seconds: float, **config: Json) -> None:
        """Publishes a train stage with this compute and these settings."""
        self.results[stage] = {"kind": "train", "seconds": seconds, "ended": 1_700_000_000.0, "steps": 100}
        mixture: list[Json] = [{"task": {"learner": stage.split("-")[1]}, "weight": 1.0, "config": {"batch_size": 32}}]
        self.payloads[stage] = {
            "kind": "train",
            "seed": 1,
            "mixture": mixture,
            "config": {"learning_rate": 1e-4, "steps": 100, **config},
        }

    def add(
        self,
        key: str,
        values: Mapping[str, np.ndarray],
        items: Sequence[str],
        predictions: Sequence[str] | None = None,
        **result: Json,
    ) -> None:
        """Publishes one evaluation with these per-example statistics."""
        chosen = metric(str(result["metric"]))
        sums = {name: float(column.sum()) for name, column in values.items()}
        folder = self.root / key
        folder.mkdir(parents=True)
        table = {"item": list(items), **values, "prediction": list(predictions or [""] * len(items))}
        pq.write_table(pa.table(table), folder / "examples.parquet")
        self.results[key] = {
            "kind": "evaluate",
            "score": chosen.score(sums),
            "parts": chosen.parts(sums),
            "num_items": len(items),
            "stats": sums,
            **result,
        }


def column(name: str, *, select: bool = True, languages: tuple[str, ...] = LANGUAGES) -> Column:
    return Column(
        name=name,
        task=name,
        kind="classification",
        metric="accuracy",
        group="classification",
        languages=languages,
        select_languages=("en",) if select else (),
    )


def replicate(
    row: str,
    column: Column,
    intermediate: int | None,
    target: int | None,
    proposal: int | None = None,
    *,
    confirms: bool = False,
) -> Replicate:
    stage = f"evaluate-{row}-{column.name}-p{proposal}-i{intermediate}-t{target}"
    outputs = {"report": {name: f"{stage}/report.{name}" for name in column.languages}}
    if column.select_languages:
        outputs["select"] = {name: f"{stage}/select.{name}" for name in column.select_languages}
    return Replicate(
        row=row,
        column=column.name,
        intermediate_seed=intermediate,
        target_seed=target,
        proposal=proposal,
        intermediate_stage=None if row == "none" else f"train-{row}-p{proposal}-i{intermediate}",
        target_stage=f"train-{column.name}-on-{row}-p{proposal}-i{intermediate}-t{target}",
        evaluate_stage=stage,
        outputs=outputs,
        confirms=confirms,
    )


def record(
    rows: Sequence[Row], columns: Sequence[Column], replicates: Sequence[Replicate], **changes: object
) -> StudyRecord:
    stages: dict[str, StageFacts] = {}
    for item in replicates:
        keys = [key for by_language in item.outputs.values() for key in by_language.values()]
        stages[item.evaluate_stage] = {
            "kind": "evaluate",
            "name": item.column,
            "parent": item.target_stage,
            "outputs": keys,
        }
        if item.target_stage is not None:
            stages[item.target_stage] = _train(item.target_stage, item.intermediate_stage)
        if item.intermediate_stage is not None:
            stages[item.intermediate_stage] = _train(item.intermediate_stage, None)
    given: dict[str, object] = {
        "name": "study",
        "encoder": "toy",
        "toy": False,
        "selection": "english_dev",
        "rows": tuple(rows),
        "columns": tuple(columns),
        "replicates": tuple(replicates),
        "stages": stages,
    }
    return StudyRecord(**{**given, **changes})  # type: ignore[arg-type]


def _train(stage: str, parent: str | None) -> StageFacts:
    return {"kind": "train", "name": stage.split("-")[1], "parent": parent, "outputs": [stage]}


def evaluate(
    store: FakeStore,
    item: Replicate,
    score: float,
    *,
    use: str | None = None,
    languages: Mapping[str, float] | None = None,
    num_items: int = 300,
    chance: float = 33.3,
    label: str | None = None,
) -> None:
    """Publishes a replicate's evaluations with exactly this accuracy (per language where given).

    Predictions are "yes" where right and "no" where wrong, or always ``label``.
    """
    for kind, outputs in item.outputs.items():
        if use not in (None, kind):
            continue
        for language, key in outputs.items():
            easy = np.random.default_rng(0).random(num_items)  # of the source item, whoever answers
            own = np.random.default_rng(derive_seed(key)).random(num_items)
            right = round(num_items * (languages or {}).get(language, score) / 100)
            correct = np.zeros(num_items)
            correct[np.argsort(easy + own)[:right]] = 1
            values = {"correct": correct, "total": np.ones(num_items)}
            names = [f"q{i}" for i in range(num_items)]
            told = [label or ("yes" if hit else "no") for hit in correct]
            store.add(key, values, names, told, metric="accuracy", language=language, use=kind, chance=chance)


def matrix_of(record: StudyRecord, store: FakeStore) -> pd.DataFrame:
    """The study's matrix as the store holds it now."""
    return load_matrix(StudyView(record=record, store=store))  # type: ignore[arg-type]
