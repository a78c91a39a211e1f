"""Perturbations on real examples: a thousand of each language of each target in the shared folder, by every one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from stilts.data.load import load_examples
from stilts.robustness.perturb import perturbed
from stilts.robustness.segments import words
from stilts.study.robust import Perturb, Stress, why_not
from stilts.tasks.registry import default_registry
from stilts.tasks.resolve import Resolver
from stilts.tasks.task import SplitRef, Task
from tests.robustness.test_perturb import assert_holds

pytestmark = pytest.mark.slow
REGISTRY = default_registry()
TARGETS = (
    *("xnli", "pawsx", "xcopa", "udpos", "panx", "xquad", "mlqa", "tydiqa_heldout", "tatoeba", "lareqa"),
    *("e3c", "legal_ner", "multileg", "exceptius"),
)
# Of those that have a word: E3C has some hundred sentences that are a full stop or a number.
EXAMPLES, LEAST = 1000, 0.8
# What a text may have no place for: two free words side by side, a word of the dictionary, a letter with a mark, or
# another paragraph that shares a word with the question.
BOUND_BY_TEXT = {Perturb.WORD_ORDER, Perturb.CODE_SWITCH, Perturb.DIACRITICS, Perturb.DISTRACTORS}
# WikiANN has every character of Japanese and Chinese as a word: nothing within it can change places.
ONE_LETTER_WORDS = {("panx", "ja"), ("panx", "zh")}
WITHIN_WORDS = {Perturb.SWAP, Perturb.WHITESPACE}


def read(shared: Path, task: Task, ref: SplitRef, language: str, limit: int | None) -> list[Any]:
    roots = {"data": shared / "data", "text": shared / "text"}
    [view] = Resolver(REGISTRY, roots).views(ref, task.kind, [language], limit=limit)
    return load_examples(view, roots, labels=task.labels or None)


def aligned(shared: Path, language: str) -> list[tuple[str, str]]:
    task = REGISTRY.task("translation")
    assert task.train is not None
    return [one.texts() for one in read(shared, task, task.train, language, None)]


def languages(shared: Path, task: Task) -> tuple[str, ...]:
    return Resolver(REGISTRY, {"data": shared / "data", "text": shared / "text"}).target_languages(task)


def asked(shared: Path, task: Task, language: str) -> Iterator[tuple[Perturb, list[tuple[str, str]]]]:
    switchable = REGISTRY.dataset("translation").languages["train"]
    for what in Perturb:
        switches = what is Perturb.CODE_SWITCH
        if why_not(what, task, language) is None and (not switches or language in switchable):
            yield what, aligned(shared, language) if switches else []


@pytest.mark.parametrize("name", TARGETS)
def test_labels_and_spans_hold_and_most_sentences_change(shared: Path, name: str) -> None:
    task = REGISTRY.task(name)
    assert task.test is not None
    few: list[str] = []
    for language in languages(shared, task):
        before = read(shared, task, task.test, language, EXAMPLES)
        for what, pairs in asked(shared, task, language):
            made = {s: perturbed(before, Stress(what=what, strength=s, seed=1), language, pairs) for s in (0.0, 0.3)}
            assert made[0.0] == before
            for one, other in zip(before, made[0.3], strict=True):
                if what is not Perturb.CODE_SWITCH:
                    assert_holds(one, other, what)
            worded = [(one, other) for one, other in zip(before, made[0.3], strict=True) if words(one.texts()[0])]
            share = sum(one != other for one, other in worded) / len(worded)
            exempt = what in BOUND_BY_TEXT or ((name, language) in ONE_LETTER_WORDS and what in WITHIN_WORDS)
            assert share > 0, (language, what)
            if share < LEAST and not exempt:
                few.append(f"{language} {what} {share:.2f}")
    assert not few


@pytest.mark.parametrize("name", ["xnli", "udpos"])
def test_what_may_change_at_all_changes_at_a_third(shared: Path, name: str) -> None:
    task = REGISTRY.task(name)
    assert task.test is not None
    for language in languages(shared, task):
        before = read(shared, task, task.test, language, 200)
        for what, pairs in asked(shared, task, language):
            some, all_ = (perturbed(before, Stress(what=what, strength=s, seed=1), language, pairs) for s in (0.3, 1.0))
            changed = [[one != other for one, other in zip(before, made, strict=True)] for made in (some, all_)]
            assert changed[0] == changed[1], (language, what)
