"""Studies for the reports that draw them: one small with every kind of cell in it, and tables of any size."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from stilts.analysis.best import Answer, answers_of
from stilts.analysis.results import StudyResults
from stilts.ledger.records import FAILURES, PRUNED
from stilts.study.record import Row, StudyRecord
from tests.analysis.fake_store import FakeStore, column, evaluate, record, replicate

TARGETS = [column("xnli"), column("panx"), replace(column("tatoeba", select=False), group="retrieval")]
ROWS = [Row(name=name) for name in ("none", "mnli", "a|<b>&_c_", "hellaswag")]
LONG = "an_intermediate_with_a_long_name"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What every report is made from."""

    results: StudyResults
    record: StudyRecord
    frame: pd.DataFrame
    cells: pd.DataFrame
    answers: tuple[Answer, ...]


def shown(folder: Path, **changes: object) -> Shown:
    """Scores 60 (none), 63, 66, 69; panx has two replicates, but one of mnli's failed; hellaswag lacks xnli."""
    store = FakeStore(folder)
    items = []
    for number, row in enumerate(ROWS):
        for target in TARGETS:
            for seed in (1, 2) if target.name == "panx" else (1,):
                item = replicate(row.name, target, None if row.name == "none" else seed, seed)
                items.append(item)
                if (row.name, target.name, seed) == ("mnli", "panx", 2):
                    store.notes[FAILURES.name(str(item.target_stage))] = {}
                elif (row.name, target.name) != ("hellaswag", "xnli"):
                    evaluate(store, item, 60 + 3 * number, num_items=100)
    made = record(ROWS, TARGETS, items, **{"overlaps": (("mnli", "xnli", "same data"),), **changes})
    return _shown(made, store)


def searched(folder: Path, *, tasks: tuple[str, ...] = ("mnli", "squad", "hellaswag"), proposals: int = 5) -> Shown:
    """A row "mix" of several proposals beside "none", on two targets; the last proposal is pruned on panx.

    Proposal 2 is the best, where there are so many, and is confirmed with one fresh seed.

    Every stage that is done took 10 s per step, one after the other, the second half of them twice as long.
    """
    store = FakeStore(folder)
    rows = [
        Row(name="none"),
        Row(name="mix", mixture=dict.fromkeys(tasks, 0.0), searched=True, num_proposals=proposals),
    ]
    targets, best = [column("xnli"), column("panx")], min(2, proposals - 2)
    rows[1] = replace(rows[1], confirmed={target.name: best for target in targets})
    items = [replicate("none", target, None, 1) for target in targets]
    items += [replicate("mix", target, 1, 1, number) for number in range(proposals) for target in targets]
    items += [replicate("mix", target, 1000, 1000, best, confirms=True) for target in targets]
    for item in items:
        number = item.proposal or 0
        if (item.column, number) == ("panx", proposals - 1):
            store.notes[PRUNED.name("study", str(item.target_stage))] = {}
        else:
            evaluate(store, item, 50 + 4 * (number % 3) + (2 if item.column == "panx" else 0), num_items=100)
    shares = np.random.default_rng(0).dirichlet(np.ones(len(tasks)), proposals).round(2)
    for number in range(proposals):
        weights = {task: float(share) for task, share in zip(tasks, shares[number], strict=True)}
        params = {"learning_rate": 1e-4, "weights": weights}
        store.notes[f"studies/study/proposals/mix/{number:04d}"] = {"number": number, "params": params, "time": 0.0}
    made = record(rows, targets, items)
    _trained(store, made)
    return _shown(made, store)


def table(num_rows: int, num_columns: int, *, seed: int = 0) -> tuple[pd.DataFrame, StudyRecord]:
    """A ``matrix_data`` table of any size with every state, long names and all marks, and a record to go with it."""
    stream = np.random.default_rng(seed)
    rows = ["none"] + [f"{LONG}_{i}" if i % 3 == 0 else f"mix{i}" for i in range(1, num_rows)]
    columns = [f"tydiqa_on_xquad_with_long_{i}" if i % 3 == 0 else f"target{i}" for i in range(num_columns)]
    lines = [_cell(stream, row, name) for row in rows for name in columns]
    made = record([Row(name=row) for row in rows], [column(name) for name in columns], [], name="synthetic")
    return pd.DataFrame(lines), made


def _cell(stream: np.random.Generator, row: str, column: str) -> dict[str, object]:
    state = "done" if row == "none" else str(stream.choice(["done"] * 9 + ["missing", "failed", "pending", "pruned"]))
    has_score, is_base = state == "done", row == "none"
    gain, half = 0.0 if is_base else float(stream.normal(0, 5)), float(stream.uniform(0.5, 14))
    partly = has_score and stream.random() < 0.1
    marks = "".join(mark for mark, share in zip("*s~x", (0.1, 0.3, 0.1, 0.1), strict=True) if stream.random() < share)
    marks = marks if has_score else ""
    has_interval = has_score and not is_base
    return {
        "row": row,
        "column": column,
        "score": 60 + gain if has_score else np.nan,
        "gain": gain if has_score else np.nan,
        "sd": 1.0,
        "num_done": 2 if partly else 3 if has_score else 0,
        "num_planned": 3,
        "state": "pending" if partly else state,
        "proposal": pd.NA,
        "chance": 33.0,
        "near_chance": "~" in marks,
        "overlap": "same data" if "x" in marks else None,
        "low": gain - half if has_interval else np.nan,
        "high": gain + half if has_interval else np.nan,
        "conditional": bool(stream.random() < 0.3),
        "chosen": "*" in marks,
        "oracle": False,
        "equal": bool(stream.random() < 0.5),
        "claimed": has_interval and abs(gain) > half,
        "marks": marks,
    }


def _trained(store: FakeStore, made: StudyRecord) -> None:
    """Gives every stage of the study times, and its training stages results."""
    clock = 1_000_000.0
    names = list(made.stages)
    trains = [name for name in names if made.stages[name]["kind"] == "train"]
    for at, name in enumerate(trains):
        seconds = 100.0 if at < len(trains) / 2 else 200.0
        versions = {"torch": "2.13.0", "stilts": "0.1.0"}
        store.results[name] = {
            "kind": "train",
            "steps": 10,
            "started": clock,
            "ended": clock + seconds,
            "seconds": seconds,
            "execution": {"device": "cpu", "threads": 1, "versions": versions},
        }
        clock += seconds
    for key, result in store.results.items():
        if key not in trains:
            result |= {"started": clock, "ended": clock + 1, "seconds": 1.0}
            clock += 1


def _shown(made: StudyRecord, store: FakeStore) -> Shown:
    results = StudyResults(record=made, store=store, draws=50)  # type: ignore[arg-type]
    return Shown(results=results, record=made, frame=results.frame, cells=results.cells, answers=answers_of(results))
