"""Fills a store with a finished study that nobody trained: made-up scores of any size, to measure what reads them.

    python benchmarks/synthetic_study.py STORE --rows 20 --columns 12 --seeds 5 --languages 40

The artifacts are those of real stages (results, payloads, per-example Parquet, summaries), published through the
store; train stages have no weights. The study is recorded under the name given, so every verb reads it by that name.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from statistics import NormalDist

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from stilts.fingerprint import digest
from stilts.ledger.results import typed_result
from stilts.ledger.study_record import write_study
from stilts.ledger.summary import SUMMARIES, Summary, summarise
from stilts.metrics.metric import metric
from stilts.seeds import derive_seed
from stilts.store import Store, make_store
from stilts.study.record import NONE_ROW, Column, Replicate, Row, StudyRecord
from stilts.tasks.languages import LANGUAGES
from stilts.tasks.toy import TOY_LANGUAGES

STARTED = 1.7e9  # unix seconds; every stage takes STAGE_S
STAGE_S = 60.0
EXECUTION = {"device": "cpu", "threads": 1, "versions": {"stilts": "synthetic"}}


@dataclass(frozen=True)
class Size:
    rows: int
    columns: int
    seeds: int
    languages: int
    items: int


def languages_of(size: Size) -> tuple[str, ...]:
    others = [code for code in LANGUAGES if code not in TOY_LANGUAGES and code != "en"]
    return ("en", *others[: size.languages - 1])


def replicate(row: str, column: str, seed: int, languages: tuple[str, ...]) -> Replicate:
    parts = {"row": row, "column": column, "seed": seed}
    evaluate = f"evaluate-{column}-{digest(parts)}"
    recipe = None if row == NONE_ROW else f"train-{row}-{digest({'row': row, 'seed': seed})}"
    return Replicate(
        row=row,
        column=column,
        intermediate_seed=None if row == NONE_ROW else seed,
        target_seed=seed,
        proposal=None,
        intermediate_stage=recipe,
        target_stage=f"train-{column}-{digest({**parts, 'train': True})}",
        evaluate_stage=evaluate,
        outputs={
            "report": {code: f"{evaluate}/report.{code}-00000000" for code in languages},
            "select": {"en": f"{evaluate}/select.en-00000000"},
        },
    )


def study(name: str, size: Size) -> StudyRecord:
    languages = languages_of(size)
    rows = [NONE_ROW, *(f"task{number:02d}" for number in range(1, size.rows))]
    columns = [f"target{number:02d}" for number in range(size.columns)]
    replicates = [replicate(r, c, s, languages) for r in rows for c in columns for s in range(size.seeds)]
    stages: dict[str, dict] = {}
    for item in replicates:
        if item.intermediate_stage:
            stages[item.intermediate_stage] = train(item.row, item.intermediate_stage, None)
        stages[item.target_stage] = train(item.column, item.target_stage, item.intermediate_stage)
        keys = [key for outputs in item.outputs.values() for key in outputs.values()]
        stages[item.evaluate_stage] = {
            "kind": "evaluate",
            "name": item.column,
            "parent": item.target_stage,
            "outputs": keys,
        }
    return StudyRecord(
        name=name,
        encoder="synthetic",
        toy=True,
        selection="english_dev",
        rows=tuple(Row(name=r, mixture={} if r == NONE_ROW else {r: 1.0}) for r in rows),
        columns=tuple(
            Column(
                name=c,
                task=c,
                kind="classification",
                metric="accuracy",
                group="classification",
                languages=languages,
                select_languages=("en",),
                chance=33.3,
            )
            for c in columns
        ),
        replicates=tuple(replicates),
        stages=stages,
        settings={"question": "How long do reports take?"},
        text=f"name: {name}\n",
    )


def train(name: str, stage_id: str, parent: str | None) -> dict:
    return {"kind": "train", "name": name, "parent": parent, "outputs": [stage_id]}


def accuracies(item: Replicate, languages: tuple[str, ...]) -> dict[str, float]:
    """A row is worth -2 to 4 points, a language -20 to 0, a seed has a standard deviation of 1.5."""
    gain = 0.0 if item.row == NONE_ROW else derive_seed(item.row, item.column) % 1000 / 1000 * 6 - 2
    noise = np.random.default_rng(derive_seed("seed", item.replicate_id)).normal(0, 1.5)
    return {code: 70 + gain + noise - derive_seed("language", code) % 20 for code in languages}


def correct(item: Replicate, use: str, code: str, accuracy: float, size: Size) -> np.ndarray:
    easy = np.random.default_rng(derive_seed("items", item.column, use)).standard_normal(size.items)
    own = np.random.default_rng(derive_seed(item.replicate_id, use, code)).standard_normal(size.items)
    return (easy + own < NormalDist().inv_cdf(accuracy / 100) * np.sqrt(2)).astype(float)


def publish_evaluations(item: Replicate, store: Store, size: Size) -> None:
    chosen, outputs = metric("accuracy"), {}
    names = [f"q{number}" for number in range(size.items)]
    with store.lease(item.evaluate_stage) as lease, tempfile.TemporaryDirectory() as scratch:
        for use, keys in item.outputs.items():
            for number, (code, accuracy) in enumerate(accuracies(item, tuple(keys)).items()):
                rows = {"correct": correct(item, use, code, accuracy, size), "total": np.ones(size.items)}
                sums = {name: float(values.sum()) for name, values in rows.items()}
                folder = Path(scratch) / f"{use}.{code}"
                folder.mkdir()
                answers = np.where(rows["correct"] > 0, "right", "wrong")
                table = pa.table({"item": names, **rows, "prediction": answers})
                pq.write_table(table, folder / "examples.parquet")
                begun = STARTED + STAGE_S * 2 + number
                result = {
                    "kind": "evaluate",
                    "stage_id": item.evaluate_stage,
                    "parent": item.target_stage,
                    "task": item.column,
                    "metric": "accuracy",
                    "use": use,
                    "language": code,
                    "score": float(chosen.score(sums)),
                    "parts": chosen.parts(sums),
                    "num_items": size.items,
                    "chance": 33.3,
                    "stats": sums,
                    "started": begun,
                    "ended": begun + 1,
                    "seconds": 1.0,
                    "execution": EXECUTION,
                }
                payload = {"kind": "evaluate", "parent": item.target_stage, "use": use, "view": {"language": code}}
                store.publish(keys[code], folder, payload=payload, result=result, lease=lease)
                outputs[keys[code]] = summarise(typed_result(keys[code], result), names, rows)
        SUMMARIES.write(store, Summary(outputs=outputs), item.evaluate_stage)


def publish_training(stage_id: str, stage: dict, store: Store) -> None:
    task = {"task": {"name": stage["name"], "kind": "classification"}, "weight": 1.0, "config": {"batch_size": 32}}
    begun = STARTED + (STAGE_S if stage["parent"] else 0)
    result = {
        "kind": "train",
        "stage_id": stage_id,
        "name": stage["name"],
        "parent": stage["parent"],
        "started": begun,
        "ended": begun + STAGE_S,
        "seconds": STAGE_S,
        "steps": 100,
        "optimizer_steps_executed": 100,
        "kept_step": 100,
        "examples": {stage["name"]: 3200},
        "curve": [[step, 1.0 / step, 1e-5] for step in range(10, 101, 10)],
        "select": [],
        "transfer": {"loaded": 100, "fresh": []},
        "tokens": 100_000,
        "peak_memory_gib": 1.0,
        "execution": EXECUTION,
    }
    payload = {"kind": "train", "parent": stage["parent"], "mixture": [task], "config": {"steps": 100}, "seed": 0}
    with store.lease(stage_id) as lease, tempfile.TemporaryDirectory() as scratch:
        (Path(scratch) / "config.json").write_text("{}")
        store.publish(stage_id, Path(scratch), payload=payload, result=result, lease=lease)
    store.drop_files(stage_id, "there never were any weights")


def fill(store: Store, name: str, size: Size) -> StudyRecord:
    """Publishes everything and returns the study's record."""
    record = study(name, size)
    with ThreadPoolExecutor(4) as pool:
        trains = {stage_id: stage for stage_id, stage in record.stages.items() if stage["kind"] == "train"}
        list(pool.map(lambda pair: publish_training(*pair, store), trains.items()))
        list(pool.map(lambda item: publish_evaluations(item, store, size), record.replicates))
    write_study(store, record)
    return record


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("store")
    parser.add_argument("--name", default="synthetic")
    for option, default in (("rows", 20), ("columns", 12), ("seeds", 5), ("languages", 40), ("items", 500)):
        parser.add_argument(f"--{option}", type=int, default=default)
    given = parser.parse_args()
    size = Size(given.rows, given.columns, given.seeds, given.languages, given.items)
    started = time.monotonic()
    record = fill(make_store(given.store), given.name, size)
    print(f"{len(record.replicates)} replicates in {time.monotonic() - started:.0f} s; stilts best {given.name}")


if __name__ == "__main__":
    main()
