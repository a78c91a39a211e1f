"""A finished study in a real store whose examples hold predictions and right answers: no training."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from stilts.analysis.results import StudyResults
from stilts.analysis.scoring.benchmarks import XTREME, XTREME_R
from stilts.ledger import study_record
from stilts.metrics.answers import answer_rows
from stilts.metrics.bucc import pair_row
from stilts.metrics.chunks import chunk_rows
from stilts.metrics.classification import accuracy_rows
from stilts.metrics.correlation import correlation_rows
from stilts.metrics.label_sets import label_set_rows, ranking_text
from stilts.metrics.metric import FloatArray, metric
from stilts.metrics.ranking import ranking_rows
from stilts.metrics.spans import entity_rows
from stilts.metrics.tagging import tag_rows
from stilts.store import Store, make_store
from stilts.study.record import Column, Row
from stilts.tasks.kinds.classification import ClassificationExample
from stilts.tasks.kinds.multi_label import MultiLabelExample
from stilts.tasks.kinds.multiple_choice import ChoiceExample
from stilts.tasks.kinds.regression import RegressionExample
from stilts.tasks.kinds.retrieval import MiningExample, PairExample, QueryExample
from stilts.tasks.kinds.span_qa import SpanExample
from stilts.tasks.kinds.tagging import TaggingExample
from stilts.tasks.truth import pairs_in
from tests.analysis.fake_store import record, replicate

Changes: TypeAlias = Mapping[str, Callable[[list[Any]], list[Any]]]

COUNT = 9
NAME = "answered"


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """One language's examples, what a model said, and the statistics that the metric's own functions make of it."""

    examples: Sequence[Any]
    said: Sequence[str]
    rows: FloatArray
    truths: Sequence[str] | None = None


def _labels(labels: Sequence[str]) -> Callable[[random.Random, str], Made]:
    def make(rng: random.Random, language: str) -> Made:
        gold, said = rng.choices(labels, k=COUNT), rng.choices(labels, k=COUNT)
        examples = [ClassificationExample(item=str(i), text="a", label=label) for i, label in enumerate(gold)]
        return Made(examples=examples, said=said, rows=accuracy_rows(gold, said))

    return make


def _tags(labels: Sequence[str], rows: Callable[..., FloatArray]) -> Callable[[random.Random, str], Made]:
    def make(rng: random.Random, language: str) -> Made:
        lengths = [rng.randint(1, 7) for _ in range(COUNT)]
        gold = [rng.choices(labels, k=length) for length in lengths]
        said = [[tag if rng.random() < 0.7 else rng.choice(labels) for tag in tags] for tags in gold]
        examples = [
            TaggingExample(item=f"{language}/{i}", words=("w",) * len(tags), tags=tuple(tags))
            for i, tags in enumerate(gold)
        ]
        return Made(examples=examples, said=[" ".join(tags) for tags in said], rows=rows(gold, said))

    return make


def _questions(prefix: bool = False, metric: str = "squad") -> Callable[[random.Random, str], Made]:
    def make(rng: random.Random, language: str) -> Made:
        texts = [
            "the 42 km",
            "das Ende, der",
            "«42»",
            "42",
            'Ünter den "Linden"',
            "1999 was",
            "a\tb",
            "北京 市",
            "an end, of",
        ]
        fewest = 0 if metric == "squad_v2" else 1
        gold = [tuple((text, 0) for text in rng.sample(texts, k=rng.randint(fewest, 3))) for _ in range(COUNT)]
        said = [rng.choice([*texts, "", "42 end"]) for _ in range(COUNT)]
        start = f"{language}/" if prefix else ""
        examples = [
            SpanExample(item=f"{start}q{i}", question="q", context="c", answers=answers)
            for i, answers in enumerate(gold)
        ]
        rows = answer_rows(metric, [[text for text, _ in answers] for answers in gold], said, language=language)
        return Made(examples=examples, said=said, rows=rows)

    return make


def _choices(rng: random.Random, language: str) -> Made:
    gold, said = rng.choices([0, 1], k=COUNT), rng.choices([0, 1], k=COUNT)
    examples = [
        ChoiceExample(item=str(i), context="c", question="q", choices=("a", "b"), label=n) for i, n in enumerate(gold)
    ]
    return Made(examples=examples, said=[str(n) for n in said], rows=accuracy_rows(gold, said))


def _pairs(rng: random.Random, language: str) -> Made:
    said = [i if rng.random() < 0.5 else rng.randrange(COUNT) for i in range(COUNT)]
    examples = [PairExample(item=f"h{i}", query="a", candidate="b") for i in range(COUNT)]
    return Made(examples=examples, said=[str(n) for n in said], rows=accuracy_rows(list(range(COUNT)), said))


def _mined(rng: random.Random, language: str) -> Made:
    """Every third source without a partner; some found, some wrong, some not."""
    examples = [
        MiningExample(
            item=f"{language}-{i}",
            sources=((f"{language}-{i}", "a"),),
            targets=((f"en-{i}", "b"),) if i % 3 else (),
            pairs=((f"{language}-{i}", f"en-{i}"),) if i % 3 else (),
        )
        for i in range(COUNT)
    ]
    said = [
        f"{e.item}\ten-{i + rng.choice((0, 0, COUNT))}" if i == 1 or rng.random() < 0.6 else ""
        for i, e in enumerate(examples)
    ]
    rows = [pair_row(e.pairs, pairs_in(text)) for e, text in zip(examples, said, strict=True)]
    return Made(examples=examples, said=said, rows=np.concatenate(rows))


def _ranked(measure: str, most: int) -> Callable[[random.Random, str], Made]:
    def make(rng: random.Random, language: str) -> Made:
        names = [f"Q{i}" for i in range(40)]
        gold = [rng.sample(names, k=rng.randint(1, most)) for _ in range(COUNT)]
        said = [rng.sample(names, k=20) for _ in range(COUNT)]
        examples = [QueryExample(item=f"{language}-q{i}", query="a", key="k") for i in range(COUNT)]
        told, truths = ([json.dumps(each) for each in lists] for lists in (said, gold))
        return Made(examples=examples, said=told, rows=ranking_rows(measure, gold, said), truths=truths)

    return make


def _numbers(rng: random.Random, language: str) -> Made:
    gold, said = ([round(rng.uniform(0, 5), 3) for _ in range(COUNT)] for _ in range(2))
    examples = [RegressionExample(item=str(i), text="a", text_pair="b", value=value) for i, value in enumerate(gold)]
    return Made(examples=examples, said=[f"{value:.6g}" for value in said], rows=correlation_rows(gold, said))


def _sets(rng: random.Random, language: str) -> Made:
    gold = [tuple(rng.sample("abcde", k=rng.randint(1, 3))) for _ in range(COUNT)]
    ranked, chosen = [tuple(rng.sample("abcde", k=5)) for _ in gold], [rng.randint(0, 5) for _ in gold]
    examples = [MultiLabelExample(item=str(i), text="a", labels=labels) for i, labels in enumerate(gold)]
    said = [ranking_text(*each) for each in zip(ranked, chosen, strict=True)]
    return Made(examples=examples, said=said, rows=label_set_rows(gold, ranked, chosen))


_UPOS, _BIO = ("NOUN", "VERB", "CCONJ", "SCONJ", "INTJ", "X"), ("O", "O", "B-PER", "I-PER", "B-LOC", "I-LOC", "I-ORG")
# Task: kind, metric, its maker.
TASKS: dict[str, tuple[str, str, Callable[[random.Random, str], Made]]] = {
    "xnli": ("classification", "accuracy", _labels(("entailment", "neutral", "contradiction"))),
    "pawsx": ("classification", "accuracy", _labels(("0", "1"))),
    "panx": ("tagging", "span_f1", _tags(_BIO, entity_rows)),
    "udpos": ("tagging", "accuracy", _tags(_UPOS, tag_rows)),
    "xquad": ("span_qa", "squad", _questions()),
    "tydiqa": ("span_qa", "squad", _questions(prefix=True)),
    "mlqa": ("span_qa", "mlqa", _questions(metric="mlqa")),
    "subjqa": ("span_qa", "squad_v2", _questions(metric="squad_v2")),
    "tatoeba": ("retrieval", "retrieval_accuracy", _pairs),
    "bucc2018": ("retrieval", "pair_f1", _mined),
    "lareqa": ("retrieval", "map_at_20", _ranked("map_at_20", 11)),
    "mewslix": ("retrieval", "reciprocal_rank_at_20", _ranked("reciprocal_rank_at_20", 1)),
    "xcopa": ("multiple_choice", "accuracy", _choices),
    "udpos_f1": ("tagging", "chunk_f1", _tags(_UPOS, chunk_rows)),
    "stsb": ("regression", "pearson", _numbers),
    "multieurlex": ("multi_label", "r_precision", _sets),
    "other": ("classification", "accuracy", _labels(("a", "b"))),
}


def answered_column(name: str, languages: Sequence[str] | None = None, task: str | None = None) -> Column:
    """A target of one of TASKS, in all languages that XTREME, or XTREME-R, wants of it."""
    named = task or name
    known = {**XTREME_R.tasks, **XTREME.tasks}
    codes = tuple(languages or (known[named].languages if named in known else ("en", "de")))
    kind, measure, _ = TASKS[named]
    selected = () if kind == "retrieval" else ("en",)
    return Column(
        name=name, task=named, kind=kind, metric=measure, group="", languages=codes, select_languages=selected
    )


def write_study(
    folder: Path,
    columns: Sequence[Column],
    *,
    rows: Sequence[str] = ("none",),
    truths: bool = True,
    spoiled: Changes | None = None,
    **view: Any,
) -> Store:
    """A store in which every cell is done, with one replicate; ``truths`` False is a store of an older version.

    ``spoiled`` changes columns of the German examples that are published, of every target on ``report``.
    """
    store = make_store(str(folder / "store"))
    replicates = [replicate(row, column, None if row == "none" else 1, 1) for row in rows for column in columns]
    for number, each in enumerate(replicates):
        column = columns[number % len(columns)]
        with store.lease(each.evaluate_stage) as lease:
            for use, outputs in each.outputs.items():
                for language, key in outputs.items():
                    made = TASKS[column.task][2](random.Random(key), language)
                    where = folder / "scratch" / key
                    where.mkdir(parents=True)
                    changes = spoiled if spoiled and language == "de" and use == "report" else {}
                    result = _write(where, column.metric, made, truths, changes)
                    payload = {"view": {"language": language, "limit": None, "part": "all", **view}}
                    store.publish(key, where, payload=payload, result={**result, "use": use}, lease=lease)
    made_record = record([Row(name=row) for row in rows], columns, replicates, name=NAME)
    study_record.write_study(store, made_record)
    return store


def results_of(store: Store) -> StudyResults:
    """The study that ``write_study`` wrote."""
    return StudyResults(record=study_record.load_study(store, NAME), store=store)


def _write(folder: Path, measure: str, made: Made, truths: bool, changes: Changes) -> dict[str, Any]:
    chosen = metric(measure)
    table: dict[str, Any] = {"item": [example.item for example in made.examples]}
    table |= {name: made.rows[:, number] for number, name in enumerate(chosen.columns)}
    table["prediction"] = list(made.said)
    if truths:
        table["truth"] = made.truths or [example.truth(place) for place, example in enumerate(made.examples)]
    table |= {name: change(list(table[name])) for name, change in changes.items()}
    pq.write_table(pa.table(table), folder / "examples.parquet")
    sums = dict(zip(chosen.columns, map(float, made.rows.sum(axis=0)), strict=True))
    return {
        "kind": "evaluate",
        "metric": measure,
        "score": float(chosen.score(sums)),
        "parts": {name: float(value) for name, value in chosen.parts(sums).items()},
        "num_items": len(made.examples),
        "stats": sums,
        "seconds": 1.0,
    }
