"""Every kind can learn: the tiny encoder learns a few toy examples by heart, and losses fall."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tokenizers import Tokenizer

from stilts.data.encode import TaskTokenizer
from stilts.data.toy import generate, toy_tokenizer_json
from stilts.kinds.learning import add_heads, encode, score_examples
from stilts.kinds.prepare import Preparation
from stilts.kinds.scorer import Scorer
from stilts.metrics.metric import metric
from stilts.models.model import load_model
from stilts.study.config import TaskConfig, TrainConfig
from stilts.tasks.kinds.classification import CLASSIFICATION, ClassificationExample
from stilts.tasks.registry import default_registry
from stilts.tasks.task import Task
from stilts.training.checkpoint import TrainState
from stilts.training.device import autocast
from stilts.training.feed import TaskData, Training
from stilts.training.loop import train
from stilts.training.reporter import SilentReporter
from stilts.training.run_config import RunConfig
from stilts.training.selection import column_sums

PREPARED = Preparation(tokenizer=Tokenizer.from_str(toy_tokenizer_json()), fingerprint="toy", roots={})
CONFIG = TaskConfig(batch_size=16, max_length=80, doc_stride=16, layer=1, mask_frac=0.15, temperature=0.05)


def learn(
    folder: Path, task: Task, examples: list[Any], *, steps: int, learning_rate: float = 3e-3
) -> tuple[TrainState, float]:
    """Trains on the examples alone and gives the state and the score (0 to 100) on them."""
    torch.set_num_threads(1)
    encoder = TaskTokenizer(
        tokenizer=PREPARED.tokenizer,
        labels=task.labels,
        max_length=CONFIG.max_length,
        doc_stride=CONFIG.doc_stride,
    )
    encoded = encode(task.kind, examples, encoder)
    model, _ = load_model(folder, dropout=0.0, attention_dropout=0.0)
    add_heads(model, [task], seed=0)
    config = TrainConfig(steps=steps, learning_rate=learning_rate, warmup_frac=0.1)
    training = Training(
        stage_id="train-test",
        config=config,
        seed=0,
        tasks=[TaskData(task=task, weight=1.0, config=CONFIG, train=encoded)],
        vocabulary=PREPARED.vocabulary(),
        run=RunConfig(threads=1, checkpoint_every_s=1e9),
        reporter=SilentReporter(),
        evaluate=lambda model: {},
        save=lambda folder: None,
    )
    state, _ = train(model, training)
    device = torch.device("cpu")
    scorer = Scorer(
        model=model,
        vocabulary=PREPARED.vocabulary(),
        device=device,
        eval_tokens=2048,
        autocast=autocast(device, config.precision),
    )
    scored = score_examples(scorer, task, CONFIG, encoded, examples)
    return state, float(metric(task.metric).score(column_sums(task, scored)))


def toy(generator: str, size: int = 32, **options: Any) -> list[Any]:
    return generate(generator=generator, split="train", language="en", size=size, options=options)


def single_sentences() -> list[Any]:
    return [replace(e, text=f"{e.text} {e.text_pair}", text_pair=None) for e in toy("paraphrase")]


@pytest.mark.parametrize(
    ("name", "examples", "steps"),
    [
        ("pawsx", single_sentences, 150),
        ("mnli", lambda: toy("nli"), 150),
        ("udpos", lambda: toy("pos"), 120),
        ("xquad", lambda: toy("qa"), 300),
        ("hellaswag", lambda: toy("choice"), 300),
        ("stsb", lambda: toy("similarity"), 150),
    ],
    ids=["single sentence", "pair", "tagging", "span QA", "multiple choice", "regression"],
)
def test_thirty_two_examples_are_learned_by_heart(name: str, examples: Any, steps: int, tiny_encoder: Path) -> None:
    state, score = learn(tiny_encoder, default_registry().task(name), examples(), steps=steps)
    assert score >= 95.0
    assert state.curve[-1][1] < state.curve[0][1] / 3


def test_sets_of_labels_are_learned_by_heart(tiny_encoder: Path) -> None:
    task = replace(default_registry().task("multieurlex"), labels=tuple("ABCDEFG"))
    state, score = learn(tiny_encoder, task, toy("topics", labels=list(task.labels)), steps=500)
    assert score >= 95.0 and state.curve[-1][1] < state.curve[0][1] / 3


@pytest.mark.parametrize(
    ("name", "generator", "language"),
    [("tatoeba", "retrieval", "qab"), ("lareqa", "answers", "en"), ("mewslix", "mentions", "en")],
)
def test_a_dual_encoder_learns_pairs_by_heart(name: str, generator: str, language: str, tiny_encoder: Path) -> None:
    task = default_registry().task(name)
    pairs = generate(generator=generator, split="train", language=language, size=32, options={})
    state, score = learn(tiny_encoder, task, pairs, steps=120)
    assert state.curve[-1][1] < state.curve[0][1] / 3 and score >= 95.0


def test_masked_words_are_learned(tiny_encoder: Path) -> None:
    state, score = learn(tiny_encoder, default_registry().task("plain"), toy("plain"), steps=300)
    losses = [loss for _, loss, _ in state.curve]
    assert np.mean(losses[-5:]) < 0.67 * np.mean(losses[:5]) and score > 20.0


def test_labels_at_random_are_learned_too_so_nothing_but_memory_is_needed(tiny_encoder: Path) -> None:
    rng = np.random.default_rng(0)
    labels = default_registry().task("pawsx").labels
    examples: list[Any] = [
        ClassificationExample(item=str(i), text=e.text, label=labels[rng.integers(2)])
        for i, e in enumerate(toy("plain"))
    ]
    assert default_registry().task("pawsx").kind is CLASSIFICATION
    _, score = learn(tiny_encoder, default_registry().task("pawsx"), examples, steps=150)
    assert score >= 95.0
