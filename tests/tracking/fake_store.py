"""A store in a dict, and a small study whose stages can be published into it one by one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

from stilts.analysis.results import StudyResults
from stilts.fingerprint import Json, digest
from stilts.ledger.study_record import write_study
from stilts.store import Store, make_store
from stilts.study.record import Column, Replicate, Row, StageFacts, StudyRecord
from tests.ledger.reading import ReadFromDicts

START = 1_700_000_000.0
NUM_ITEMS = 4  # of every evaluation


@dataclass
class FakeStore(ReadFromDicts):
    """The part of an ArtifactStore that tracking reads. Every evaluation has a summary, and no examples."""

    results: dict[str, dict[str, Json]] = field(default_factory=dict)
    payloads: dict[str, dict[str, Json]] = field(default_factory=dict)
    kept: dict[str, Json] = field(default_factory=dict)

    def done(self) -> frozenset[str]:
        return frozenset(self.results)

    def leased(self) -> frozenset[str]:
        return frozenset()

    def published(self) -> Mapping[str, tuple[Mapping[str, Json], Mapping[str, Json]]]:
        return {key: (self.payloads.get(key, {}), result) for key, result in self.results.items()}

    def noted(self) -> Mapping[str, Json]:
        return {**self.kept, **self._summaries()}

    def _summaries(self) -> dict[str, Json]:
        known = ("score", "num_items", "parts", "seconds", "started", "ended")
        outputs: dict[str, dict[str, Json]] = {}
        for key, result in self.results.items():
            if "/" in key:
                own = {name: result[name] for name in known}
                outputs.setdefault(f"summaries/{key.partition('/')[0]}", {})[key] = own
        return {name: {"outputs": own} for name, own in outputs.items()}


def seen(record: StudyRecord, store: FakeStore | Store) -> StudyResults:
    """The study as the store holds it now."""
    return StudyResults(record=record, store=store)  # type: ignore[arg-type]


@dataclass(frozen=True)
class Shape:
    """How large the fake study is."""

    rows: tuple[str, ...] = ("none", "mnli")
    columns: tuple[str, ...] = ("xnli", "udpos")
    languages: tuple[str, ...] = ("en", "de", "sw")
    seeds: int = 1
    curve: int = 5


def study(shape: Shape, name: str = "little") -> StudyRecord:
    """A record with every replicate of every cell, one intermediate seed and ``seeds`` target seeds."""
    replicates = tuple(
        _replicate(shape, row, column, seed)
        for row in shape.rows
        for column in shape.columns
        for seed in range(shape.seeds)
    )
    columns = tuple(
        Column(
            name=column,
            task=column,
            kind="classification",
            metric="accuracy",
            group="",
            languages=shape.languages,
            select_languages=("en",),
        )
        for column in shape.columns
    )
    return StudyRecord(
        name=name,
        encoder="toy-encoder",
        toy=True,
        selection="english_dev",
        rows=tuple(Row(name=row, mixture={row: 1.0}) for row in shape.rows),
        columns=columns,
        replicates=replicates,
        stages=_stages(replicates),
        text=f"study: {name}\n",
    )


def _stages(replicates: Sequence[Replicate]) -> dict[str, StageFacts]:
    found: dict[str, StageFacts] = {}
    for one in replicates:
        if one.intermediate_stage is not None:
            found[one.intermediate_stage] = _facts("train", one.row, None, [one.intermediate_stage])
        assert one.target_stage is not None
        found[one.target_stage] = _facts("train", one.column, one.intermediate_stage, [one.target_stage])
        keys = [key for by_language in one.outputs.values() for key in by_language.values()]
        found[one.evaluate_stage] = _facts("evaluate", one.column, one.target_stage, keys)
    return found


def _facts(kind: Literal["train", "evaluate"], name: str, parent: str | None, outputs: list[str]) -> StageFacts:
    return {"kind": kind, "name": name, "parent": parent, "outputs": outputs}


def _replicate(shape: Shape, row: str, column: str, seed: int) -> Replicate:
    evaluate = f"evaluate-{column}-{digest([row, column, seed])}"
    outputs = {
        "select": {"en": f"{evaluate}/select.en-{digest([column, 'select'])[:8]}"},
        "report": {
            lang: f"{evaluate}/report.{lang}-{digest([column, 'report', lang])[:8]}" for lang in shape.languages
        },
    }
    return Replicate(
        row=row,
        column=column,
        intermediate_seed=None if row == "none" else 0,
        target_seed=seed,
        proposal=None,
        intermediate_stage=None if row == "none" else f"train-{row}-{digest(row)}",
        target_stage=f"train-{column}-{digest([row, column, seed, 'train'])}",
        evaluate_stage=evaluate,
        outputs=outputs,
    )


def publish_train(store: FakeStore, stage: str, task: str, *, at: float = 0.0, curve: int = 5) -> None:
    """Publishes a train stage of 100 steps that took a minute."""
    store.payloads[stage] = {
        "kind": "train",
        "encoder": {"fingerprint": "sha256:e", "tokenizer": "sha256:t"},
        "mixture": [
            {
                "task": {"learner": task, "kind": "classification", "labels": ["yes", "no"]},
                "weight": 1.0,
                "config": {"batch_size": 32, "max_length": 128},
                "train": [digest([task, "train"])],
                "select": [],
            }
        ],
        "config": {"learning_rate": 1e-5, "steps": 100, "precision": "fp32", "warmup_frac": 0.1},
        "seed": 7,
    }
    store.results[stage] = {
        "kind": "train",
        "stage_id": stage,
        "started": START + at,
        "ended": START + at + 60,
        "seconds": 58.5,
        "steps": 100,
        "kept_step": 100,
        "examples": {task: 3200},
        "curve": [[100 * i // curve, 2.0 / (i + 1), 1e-5 / (i + 1)] for i in range(curve)],
        "select": [[50, {task: 40.0}], [100, {task: 55.5}]],
        "tokens": 1000,
        "peak_memory_gib": 0.5,
        "execution": {"device": "cpu", "threads": 1},
    }


def publish_evaluations(
    store: FakeStore, replicate: Replicate, *, at: float = 100.0, only: tuple[str, ...] | None = None
) -> None:
    """Publishes a replicate's evaluations; ``only`` limits the languages. As in a real store, the first one stays."""
    for use, languages in replicate.outputs.items():
        for i, (language, key) in enumerate(languages.items()):
            if (only is None or language in only) and key not in store.results:
                store.payloads[key] = {
                    "kind": "evaluate",
                    "task": {"name": replicate.column},
                    "use": use,
                    "view": {
                        "dataset": f"{replicate.column}-data",
                        "split": "test" if use == "report" else "dev",
                        "language": language,
                        "fingerprint": f"sha256:{digest([replicate.column, use, language])}",
                    },
                }
                store.results[key] = _evaluation(replicate, use, language, started=START + at + i)


def _evaluation(replicate: Replicate, use: str, language: str, *, started: float) -> dict[str, Json]:
    seed = int(digest([replicate.replicate_id, use, language]), 16)
    score = 40 + seed % 3000 / 100
    return {
        "kind": "evaluate",
        "task": replicate.column,
        "use": use,
        "language": language,
        "score": score,
        "parts": {"accuracy": score},
        "num_items": NUM_ITEMS,
        "started": started,
        "ended": started + 2,
        "seconds": 2.0,
        "execution": {"device": "cuda:0"},
    }


def publish_replicate(store: FakeStore, replicate: Replicate, *, at: float = 0.0, curve: int = 5) -> None:
    """Publishes all that a replicate needs: its intermediate, its target's training, its evaluations."""
    if replicate.intermediate_stage is not None:
        publish_train(store, replicate.intermediate_stage, replicate.row, at=at, curve=curve)
    assert replicate.target_stage is not None
    publish_train(store, replicate.target_stage, replicate.column, at=at + 100, curve=curve)
    publish_evaluations(store, replicate, at=at + 200)


def filled(shape: Shape) -> tuple[StudyRecord, FakeStore]:
    """A study with everything in the store."""
    record, store = study(shape), FakeStore()
    for replicate in record.replicates:
        publish_replicate(store, replicate, curve=shape.curve)
    return record, store


def publish_all(fake: FakeStore, record: StudyRecord, folder: Path) -> Store:
    """A store on disk with the same artifacts, each with four examples, and the study's record."""
    store = make_store(str(folder))
    with TemporaryDirectory() as name:
        scratch = Path(name)
        for number, key in enumerate(sorted(fake.results)):
            write_examples(scratch / str(number))
            with store.lease(key.partition("/")[0]) as lease:
                store.publish(
                    key, scratch / str(number), payload=fake.payloads[key], result=fake.results[key], lease=lease
                )
    write_study(store, record)
    return store


def write_examples(folder: Path, count: int = NUM_ITEMS) -> None:
    """Examples of the metric "accuracy": every second one is right."""
    import pyarrow as pa
    import pyarrow.parquet as parquet

    folder.mkdir(parents=True)
    right = [float(number % 2 == 0) for number in range(count)]
    columns = {
        "item": [f"q{number}" for number in range(count)],
        "correct": right,
        "total": [1.0] * count,
        "prediction": ["yes" if each else "no" for each in right],
    }
    parquet.write_table(pa.table(columns), folder / "examples.parquet")


def fail(store: FakeStore, stage: str, error: str = "out of memory") -> None:
    """Puts a failure record into the store."""
    record: Mapping[str, Json] = {
        "stage_id": stage,
        "error": error,
        "kind": "RuntimeError",
        "attempts": 3,
        "time": START + 9,
    }
    store.kept[f"failures/{stage}"] = dict(record)
