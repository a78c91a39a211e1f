"""Whatever lies in the shared folder can be learned: 32 examples by heart, then every language is evaluated.

One test per task of the registry that has files there, so that a new task is tested without a line here. Examples are
the shortest of the split, to be quick; a mini encoder of the same family learns them without dropout.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from stilts.data.encode import TaskTokenizer
from stilts.data.load import load_examples
from stilts.data.tokenizing import read_tokenizer
from stilts.kinds.learning import add_heads, encode, score_examples
from stilts.kinds.prepare import Preparation
from stilts.kinds.retrieved import RetrievalSearch
from stilts.kinds.scored import Scored
from stilts.kinds.scorer import Scorer
from stilts.metrics.metric import metric
from stilts.models.model import StiltsModel, load_model
from stilts.study.config import TaskConfig, TrainConfig
from stilts.tasks.kinds.classification import CLASSIFICATION
from stilts.tasks.kinds.masked_lm import MASKED_LM
from stilts.tasks.kinds.multiple_choice import MULTIPLE_CHOICE
from stilts.tasks.kinds.retrieval import RETRIEVAL, MiningExample, PairExample
from stilts.tasks.kinds.span_qa import SPAN_QA
from stilts.tasks.kinds.tagging import TAGGING
from stilts.tasks.registry import default_registry
from stilts.tasks.resolve import Resolver
from stilts.tasks.task import SplitRef, Task
from stilts.tasks.view import DataView
from stilts.training.device import autocast
from stilts.training.feed import TaskData, Training
from stilts.training.loop import train
from stilts.training.reporter import SilentReporter
from stilts.training.run_config import RunConfig
from stilts.training.selection import column_sums, embedded_pool

SHARED = Path(os.environ.get("STILTS_SHARED", Path(__file__).resolve().parents[3] / "shared"))
ROOTS = {"data": SHARED / "data", "text": SHARED / "text"}
REGISTRY = default_registry()
RESOLVER = Resolver(REGISTRY, {name: root for name, root in ROOTS.items() if root.is_dir()})
LEARNED, POOL, EVALUATED = 32, 400, 4
CONFIG = TaskConfig(batch_size=16, max_length=96, doc_stride=24, layer=2)
# Steps of a first try, and of further ones where it does not suffice.
STEPS = (30, 90, 360)
# Treebank features all read the same files, and questions and choices take more than five seconds each: some
# are tested always, the others by `make test-slow`.
OFTEN = {"ud_number", "ud_feats", "ud_supertags", "copa", "xcopa", "xcopa_siqa"}
SLOW_KINDS = (SPAN_QA, MULTIPLE_CHOICE)


def has_files(ref: SplitRef | None) -> bool:
    return ref is not None and bool(RESOLVER.available_languages(ref))


def learnable(task: Task) -> SplitRef | None:
    """The split to learn from: train where it is there, else what is evaluated (a folder may lack train)."""
    return next((ref for ref in (task.train, task.dev, task.test) if has_files(ref)), None)


def is_slow(task: Task) -> bool:
    return (task.name.startswith("ud_") or task.kind in SLOW_KINDS) and task.name not in OFTEN


TASKS = [
    pytest.param(task, id=task.name, marks=[pytest.mark.slow] if is_slow(task) else [])
    for task in (REGISTRY.tasks() if (SHARED / "data").is_dir() else ())
    if learnable(task) is not None
]


@pytest.fixture(scope="module")
def prepared() -> Preparation:
    torch.set_num_threads(1)
    folder = SHARED / "models" / "xlmr-mini"
    if not folder.is_dir():
        pytest.skip(f"no encoder in {folder}")
    tokenizer = read_tokenizer(folder / "tokenizer.json")
    return Preparation(tokenizer=tokenizer, fingerprint="mini", roots={k: str(v) for k, v in ROOTS.items()})


def length(example: Any) -> int:
    return len(repr(example))


def shortest(task: Task, ref: SplitRef) -> list[Any]:
    """The shortest of the first examples that are labelled, English where there is English, no text twice."""
    spoken = RESOLVER.available_languages(ref)
    limit = None if task.metric == "pair_f1" else POOL  # few of many sentences would hold no pair
    view = RESOLVER.views(ref, task.kind, ["en" if "en" in spoken else spoken[0]], limit=limit)[0]
    examples = [e for e in load_examples(view, ROOTS, labels=task.labels or None) if e.is_labelled()]
    if task.metric == "pair_f1":  # mined from two corpora: what can be learned of them are the pairs
        examples = [pair for example in examples for pair in pairs_of(example)]
    distinct = list({example.content(): example for example in examples}.values())
    return sorted(distinct, key=length)[:LEARNED]


def pairs_of(example: MiningExample) -> list[PairExample]:
    sources, targets = dict(example.sources), dict(example.targets)
    return [PairExample(item=one, query=sources[one], candidate=targets[other]) for one, other in example.pairs]


def learn(model: StiltsModel, task: Task, examples: list[Any], steps: int, prepared: Preparation) -> float:
    """Trains on the examples and gives the score (0 to 100) on them; for masked LM, how far the loss fell."""
    encoded = encode(task.kind, examples, encoder(task, prepared))
    training = Training(
        stage_id="train-overfit",
        config=TrainConfig(steps=steps, learning_rate=1e-3, warmup_frac=0.1),
        seed=0,
        tasks=[TaskData(task=task, weight=1.0, config=CONFIG, train=encoded)],
        vocabulary=prepared.vocabulary(),
        run=RunConfig(threads=1, checkpoint_every_s=1e9),
        reporter=SilentReporter(),
        evaluate=lambda model: {},
        save=lambda folder: None,
    )
    state, _ = train(model, training)
    if task.kind is MASKED_LM:
        losses = [loss for _, loss, _ in state.curve]
        return float(100 * (1 - np.mean(losses[-5:]) / np.mean(losses[:5])))
    return score(scored(model, task, examples, prepared), task)


def encoder(task: Task, prepared: Preparation) -> TaskTokenizer:
    return TaskTokenizer(
        tokenizer=prepared.tokenizer,
        labels=task.labels,
        max_length=CONFIG.max_length,
        doc_stride=CONFIG.doc_stride,
    )


def scored(
    model: StiltsModel, task: Task, examples: list[Any], prepared: Preparation, pool: Sequence[DataView] = ()
) -> Scored:
    device = torch.device("cpu")
    scorer = Scorer(
        model=model,
        vocabulary=prepared.vocabulary(),
        device=device,
        eval_tokens=4096,
        autocast=autocast(device, TrainConfig(steps=1).precision),
    )
    if pool:
        scorer = replace(scorer, search=RetrievalSearch(pool=embedded_pool(scorer, task, CONFIG, pool, prepared)))
    return score_examples(scorer, task, CONFIG, encode(task.kind, examples, encoder(task, prepared)), examples)


def score(found: Scored, task: Task) -> float:
    return float(metric(task.metric).score(column_sums(task, found)))


@pytest.mark.parametrize("task", TASKS)
def test_what_is_there_is_learned_by_heart_and_evaluated_everywhere(task: Task, prepared: Preparation) -> None:
    ref = learnable(task)
    assert ref is not None
    examples = shortest(task, ref)
    if not examples:
        pytest.skip("the release keeps all its labels back")
    # What is learned are pairs: the share that finds its own among all of them is told, whatever the task asks later.
    learned = replace(task, metric="retrieval_accuracy") if task.metric == "pair_f1" else task
    reached, wanted = -np.inf, 20.0 if task.kind is MASKED_LM else 95.0
    for steps in STEPS:
        model, _ = load_model(SHARED / "models" / "xlmr-mini", dropout=0.0, attention_dropout=0.0)
        add_heads(model, [task], seed=0)
        reached = learn(model, learned, examples, steps, prepared)
        if reached >= wanted:
            break
    assert reached >= wanted
    test = task.test if has_files(task.test) else ref
    assert test is not None
    limit = POOL if task.metric == "pair_f1" else EVALUATED
    for view in RESOLVER.views(test, task.kind, RESOLVER.available_languages(test), limit=limit):
        found = [e for e in load_examples(view, ROOTS, labels=task.labels or None) if e.is_labelled()]
        if not found:
            continue  # placeholders, which test_real_data.py counts
        pool = () if task.pool is None else RESOLVER.views(task.pool, task.kind, [view.language])
        result = scored(model, task, found, prepared, pool)
        assert len(result.rows) == len(result.predictions) == len(found), view.language
        assert np.isfinite(result.rows).all() and 0.0 <= score(result, task) <= 100.0, view.language


def test_there_is_something_to_learn() -> None:
    if not (SHARED / "data").is_dir():
        pytest.skip(f"no real data in {SHARED}; set STILTS_SHARED to the folder that holds data/ and text/")
    assert {task.values[0].kind for task in TASKS} >= {  # type: ignore[union-attr]
        CLASSIFICATION,
        TAGGING,
        SPAN_QA,
        MULTIPLE_CHOICE,
        RETRIEVAL,
        MASKED_LM,
    }
