"""Predictions: within their limits, at the right place, and of the checkpoint that was kept."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer
from torch import nn

from stilts.data.encode import TaskTokenizer
from stilts.data.toy import generate, toy_tokenizer_json
from stilts.execute.run_stage import run_stage
from stilts.kinds.learning import encode, score_examples
from stilts.kinds.prepare import Preparation
from stilts.kinds.scored import by_threshold, truths_of
from stilts.kinds.scorer import Scorer
from stilts.kinds.span_qa import best_spans
from stilts.store import make_store
from stilts.study.config import Keep, TaskConfig, TrainConfig
from stilts.study.stage import EvaluateItem, EvaluateStage, Use
from stilts.tasks.kinds.multiple_choice import MULTIPLE_CHOICE
from stilts.tasks.kinds.span_qa import SPAN_QA, SpanExample
from stilts.tasks.kinds.tagging import TAGGING
from stilts.tasks.registry import default_registry
from stilts.training.schedule import learning_rate
from tests.training.tiny import evaluate_stage, part, run_config, run_device, train_stage

pytestmark = pytest.mark.on_device

TOKENIZER = Tokenizer.from_str(toy_tokenizer_json())


# --- spans ---


@given(st.data())
def test_the_best_span_is_the_best_of_all_that_are_allowed(data: st.DataObject) -> None:
    tokens, longest = data.draw(st.integers(1, 12)), data.draw(st.integers(1, 14))
    numbers = st.floats(-5, 5, width=32)
    logits = np.asarray(data.draw(st.lists(st.tuples(numbers, numbers), min_size=tokens, max_size=tokens)), np.float32)
    inside = np.asarray(data.draw(st.lists(st.booleans(), min_size=tokens, max_size=tokens)))
    (score,), (first,), (last,) = best_spans(logits[None], inside[None], longest)
    allowed = {
        (i, j): float(logits[i, 0] + logits[j, 1])
        for i in range(tokens)
        for j in range(i, min(i + longest, tokens))
        if inside[i] and inside[j]
    }
    if allowed:
        assert (first, last) in allowed and score == pytest.approx(max(allowed.values()), abs=1e-5)
        assert last - first < longest
    else:
        assert score == -np.inf


def best_span(logits: Any, inside: Any, longest: int) -> tuple[float, int, int]:
    """The best span of one window, by a table of all pairs."""
    start, end = (np.where(inside, logits[:, side], -np.inf) for side in (0, 1))
    total = np.triu(start[:, None] + end[None, :])
    allowed = np.triu(np.ones_like(total, dtype=bool)) & ~np.triu(np.ones_like(total, dtype=bool), longest)
    total = np.where(allowed, total, -np.inf)
    first, last = divmod(int(total.argmax()), len(start))
    return float(total[first, last]), first, last


@pytest.mark.parametrize("longest", [1, 3, 30, 200])
def test_the_best_spans_of_a_batch_are_those_of_its_windows_one_by_one(longest: int) -> None:
    random = np.random.default_rng(longest)
    logits = random.integers(-4, 5, (200, 40, 2)).astype(np.float32)  # whole numbers: many sums are equal
    lengths = random.integers(5, 41, 200)
    places = np.arange(40)[None, :]
    inside = (places >= random.integers(1, 12, 200)[:, None]) & (places < lengths[:, None] - 1)
    scores, firsts, lasts = best_spans(logits, inside, longest)
    assert not inside.any(axis=1).all(), "a window without context is among them"
    for window, (score, first, last) in enumerate(zip(scores, firsts, lasts, strict=True)):
        length = lengths[window]
        alone = best_span(logits[window, :length], inside[window, :length], longest)
        assert (score, first, last) == alone if alone[0] > -np.inf else score == -np.inf


# --- places: models that say what they read ---


class Parrot(nn.Module):
    """Has the token ids as hidden state, and heads that are given functions of them."""

    def __init__(self, **heads: Any) -> None:
        super().__init__()
        self.heads = {name: lambda ids, mask, head=head: head(ids) for name, head in heads.items()}

    def hidden(self, ids: torch.Tensor, mask: torch.Tensor | None, types: torch.Tensor | None = None) -> torch.Tensor:
        return ids if mask is None else torch.where(mask, ids, -1)


def scorer(model: Any, eval_tokens: int = 100) -> Scorer:
    prepared = Preparation(tokenizer=TOKENIZER, fingerprint="toy", roots={})
    return Scorer(
        model=model,
        vocabulary=prepared.vocabulary(),
        device=run_device(),
        eval_tokens=eval_tokens,
        autocast=nullcontext,
    )


@settings(deadline=None, max_examples=20)
@given(st.integers(6, 40), st.integers(1, 300))
def test_a_words_tag_is_that_of_its_own_first_piece(max_length: int, eval_tokens: int) -> None:
    task = default_registry().task("udpos")
    count = len(task.labels)
    examples = generate(generator="pos", split="train", language="qad", size=15, options={})
    encoder = TaskTokenizer(tokenizer=TOKENIZER, labels=task.labels, max_length=max_length, doc_stride=0)
    encoded = encode(TAGGING, examples, encoder)
    model = Parrot(udpos=lambda ids: nn.functional.one_hot(ids.clamp(min=0) % count, count))
    scored = score_examples(scorer(model, eval_tokens), task, TaskConfig(), encoded, examples)
    for example, predicted in zip(examples, scored.predictions, strict=True):
        pieces = [TOKENIZER.encode(word, add_special_tokens=False).ids for word in example.words]  # type: ignore[union-attr]
        assert predicted == " ".join(task.labels[piece[0] % count] for piece in pieces)
    assert len(scored.rows) == len(examples)


@pytest.mark.parametrize("max_length", [24, 40, 90])
def test_an_answer_is_found_in_whichever_window_holds_it(max_length: int) -> None:
    marker = TOKENIZER.token_to_id("q")
    examples = []
    for place in (0, 3, 31, 57, 59):
        words = ["abcdefg"[i % 7] for i in range(60)]
        words[place] = "q"
        context = " ".join(words)
        answers = (("q", context.index("q")),)
        examples.append(SpanExample(item=str(place), question="q a", context=context, answers=answers))
    encoder = TaskTokenizer(tokenizer=TOKENIZER, labels=(), max_length=max_length, doc_stride=4)
    encoded = encode(SPAN_QA, examples, encoder)
    model = Parrot(squad=lambda ids: (ids == marker).float().unsqueeze(-1).repeat(1, 1, 2))
    task = default_registry().task("xquad")
    scored = score_examples(scorer(model), task, TaskConfig(max_answer_tokens=3), encoded, examples)
    assert scored.predictions == ("q",) * 5 and scored.rows.tolist() == [[1.0, 1.0, 1.0]] * 5


# --- questions without an answer ---


def test_every_window_without_the_answer_is_taught_the_first_token() -> None:
    words = ["abcdefg"[i % 7] for i in range(60)]
    context = " ".join([*words, "q"])
    examples = [
        SpanExample(item="none", question="q", context=context, answers=()),
        SpanExample(item="last", question="q", context=context, answers=(("q", len(context) - 1),)),
    ]
    encoder = TaskTokenizer(tokenizer=TOKENIZER, labels=(), max_length=24, doc_stride=4)
    encoded = encode(SPAN_QA, examples, encoder)
    assert encoded.spans is not None
    of_none, of_last = (encoded.spans[encoded.unit_example == number].tolist() for number in (0, 1))
    assert len(of_none) == len(of_last) > 3
    assert of_none == [[0, 0]] * len(of_none)
    assert of_last[:-1] == [[0, 0]] * (len(of_last) - 1) and of_last[-1][0] == of_last[-1][1] > 0


def test_no_answer_has_the_least_score_of_the_windows_and_wins_above_the_threshold() -> None:
    marker, first = TOKENIZER.token_to_id("q"), TOKENIZER.token_to_id("<s>")
    context = " ".join(["abcdefg"[i % 7] for i in range(30)] + ["q"] + ["abcdefg"[i % 7] for i in range(30)])
    asked = SpanExample(item="0", question="a", context=context, answers=(("q", context.index("q")),))
    examples = [asked, replace(asked, item="1", answers=())]
    encoder = TaskTokenizer(tokenizer=TOKENIZER, labels=(), max_length=24, doc_stride=4)
    encoded = encode(SPAN_QA, examples, encoder)

    def head(ids: torch.Tensor) -> torch.Tensor:
        # The span has 2 + 2; "no answer" 9 + 9, but in the window that holds the span 1.5 + 1.5.
        holds = (ids == marker).any(1, keepdim=True)
        null = torch.where(holds, 1.5, 9.0) * (ids == first)
        return (2.0 * (ids == marker) + null).unsqueeze(-1).repeat(1, 1, 2)

    task = default_registry().task("squad_v2")
    config = TaskConfig(max_answer_tokens=3)
    scored = score_examples(scorer(Parrot(squad_v2=head)), task, config, encoded, examples)
    assert scored.spans is not None and scored.spans.texts == ("q", "q")
    assert scored.spans.differences.tolist() == [-1.0, -1.0]
    assert scored.predictions == ("q", "q") and scored.rows[:, 0].tolist() == [1.0, 0.0]
    stricter = by_threshold(scored.spans, task, truths_of(examples), -1.5)
    assert stricter.predictions == ("", "") and stricter.rows[:, 0].tolist() == [0.0, 1.0]
    assert by_threshold(scored.spans, task, truths_of(examples), -1.0).predictions == ("q", "q"), "exceeds, not reaches"


def test_mlqa_is_scored_by_the_language_of_its_examples() -> None:
    context = "a der b c"
    examples = [SpanExample(item="0", question="q", context=context, answers=(("der b", 2),))]
    encoded = encode(SPAN_QA, examples, TaskTokenizer(tokenizer=TOKENIZER, labels=(), max_length=40, doc_stride=4))
    wanted = TOKENIZER.encode(" b", add_special_tokens=False).ids[-1]
    model = Parrot(squad=lambda ids: (ids == wanted).float().unsqueeze(-1).repeat(1, 1, 2))
    found = {}
    for name in ("mlqa", "xquad"):
        for language in ("de", "en"):
            task = default_registry().task(name)
            of_language = replace(scorer(model), language=language)
            scored = score_examples(of_language, task, TaskConfig(), encoded, examples)
            assert scored.predictions == ("b",)
            found[name, language] = scored.rows[0, 0]
    assert found == {("mlqa", "de"): 1.0, ("mlqa", "en"): 0.0, ("xquad", "de"): 0.0, ("xquad", "en"): 0.0}


def test_choices_are_compared_within_their_example() -> None:
    task = default_registry().task("hellaswag")
    examples: list[Any] = generate(generator="choice", split="train", language="en", size=12, options={})
    encoder = TaskTokenizer(tokenizer=TOKENIZER, labels=(), max_length=96, doc_stride=0)
    encoded = encode(MULTIPLE_CHOICE, examples, encoder)
    # The choice whose row is longest wins; ties go to the first.
    model = Parrot(hellaswag=lambda ids: (ids >= 0).sum(1, keepdim=True).float())
    scored = score_examples(scorer(model), task, TaskConfig(), encoded, examples)
    for example, predicted in zip(examples, scored.predictions, strict=True):
        lengths = [len(TOKENIZER.encode(choice).ids) for choice in example.choices]
        assert int(predicted) == lengths.index(max(lengths))
    assert scored.chance == pytest.approx(100 / encoded.rows_per_unit)


# --- the learning rate ---


@given(st.integers(1, 5000), st.floats(0, 1), st.floats(1e-6, 1.0))
def test_the_rate_rises_then_falls_and_never_leaves_its_bounds(steps: int, warmup: float, peak: float) -> None:
    config = TrainConfig(steps=steps, warmup_frac=warmup, learning_rate=peak)
    rates = [learning_rate(config, step) for step in range(steps)]
    assert all(0 < rate <= peak * (1 + 1e-9) for rate in rates)
    top = int(np.argmax(rates))
    assert all(a <= b for a, b in pairwise(rates[: top + 1]))
    assert all(a >= b for a, b in pairwise(rates[top:]))
    assert max(rates) == pytest.approx(peak)


def test_the_rate_at_named_steps() -> None:
    config = TrainConfig(steps=100, warmup_frac=0.1, learning_rate=1.0)
    expected = {0: 0.1, 4: 0.5, 9: 1.0, 10: 1.0, 55: 0.5, 99: 1 / 90}
    assert {step: learning_rate(config, step) for step in expected} == pytest.approx(expected)
    assert learning_rate(config, 100) == 0.0, "the step after the last would have none"
    without = replace(config, warmup_frac=0.0)
    assert learning_rate(without, 0) == 1.0
    assert learning_rate(replace(config, warmup_frac=1.0), 99) == 1.0


# --- the kept checkpoint ---


def test_the_published_weights_are_those_of_the_best_evaluation(tiny_encoder: Path, tmp_path: Path) -> None:
    store = make_store(str(tmp_path / "store"))
    learned = part("udpos", limit=32)
    stage = train_stage(
        tiny_encoder, learned, steps=24, evaluate_every=4, keep=Keep.BEST, learning_rate=0.02, warmup_frac=0.2
    )
    run_stage(stage, store, run_config(tiny_encoder))
    result: dict[str, Any] = store.result(stage.stage_id)
    scores = {step: found["udpos"] for step, found in result["select"]}
    assert list(scores) == [4, 8, 12, 16, 20, 24] and len(set(scores.values())) > 1
    best = max(scores.values())
    assert result["kept_step"] == min(step for step, score in scores.items() if score == best)
    like = evaluate_stage(tiny_encoder, "udpos", stage.stage_id, "en")
    again = EvaluateStage(
        parent=stage.stage_id,
        encoder=stage.encoder,
        task=learned.task,
        config=like.config,
        precision=like.precision,
        items=tuple(EvaluateItem(use=Use.SELECT, view=view) for view in learned.select),
    )
    run_stage(again, store, run_config(tiny_encoder))
    assert [store.result(key)["score"] for key in again.outputs] == [best]
