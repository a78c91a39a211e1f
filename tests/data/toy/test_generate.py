"""Toy examples: the same everywhere, translations of one another, and of one split only."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from stilts.data.toy import GENERATORS, SPLITS, generate
from stilts.errors import InputError, UnknownNameError
from stilts.fingerprint import digest
from stilts.tasks.kinds.classification import ClassificationExample
from stilts.tasks.kinds.multiple_choice import ChoiceExample
from stilts.tasks.kinds.retrieval import MiningExample, PairExample
from stilts.tasks.kinds.span_qa import SpanExample
from stilts.tasks.kinds.tagging import TaggingExample
from stilts.tasks.toy import TOY_LANGUAGES, TOY_VERSION

GOLDEN = json.loads(Path(__file__).with_name("golden.json").read_text())
SIZE = 60


def examples(generator: str, language: str = "en", split: str = "train", size: int = SIZE, **options: object) -> list:
    return generate(generator=generator, split=split, language=language, size=size, options=options)  # type: ignore[arg-type]


def digests() -> dict[str, str]:
    return {
        generator: digest(
            [repr(example) for language in TOY_LANGUAGES for example in examples(generator, language, size=20)]
        )
        for generator in GENERATORS
    }


def test_examples_change_with_the_version_only() -> None:
    """A changed digest needs a raised TOY_VERSION (and a new golden.json): stored results would else be wrong."""
    assert {"version": TOY_VERSION, "digests": digests()} == GOLDEN


def test_another_process_with_another_hash_seed_makes_the_same() -> None:
    code = f"import sys; sys.path.insert(0, {str(Path(__file__).parent)!r}); import json, test_generate as t; "
    ran = subprocess.run(
        [sys.executable, "-c", code + "print(json.dumps(t.digests()))"],
        env={**os.environ, "PYTHONHASHSEED": "4242", "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(ran.stdout) == GOLDEN["digests"]


@pytest.mark.parametrize("generator", GENERATORS)
def test_a_longer_split_begins_like_a_shorter_one(generator: str) -> None:
    assert examples(generator, size=30)[:10] == examples(generator, size=10)


@pytest.mark.parametrize("language", TOY_LANGUAGES)
@pytest.mark.parametrize("generator", GENERATORS)
def test_splits_share_no_content(generator: str, language: str) -> None:
    contents = {
        (split, variant): {example.content() for example in examples(generator, language, split, 150, variant=variant)}
        for split in SPLITS
        for variant in ("", "other")
    }
    for (split, one), first in contents.items():
        for (other_split, other), second in contents.items():
            assert split == other_split or not first & second, (split, one, other_split, other)


@pytest.mark.parametrize("generator", GENERATORS)
def test_items_of_a_split_differ(generator: str) -> None:
    contents = [example.content() for example in examples(generator, "qad", size=300)]
    assert len(set(contents)) == len(contents)


@pytest.mark.parametrize("generator", GENERATORS)
def test_variants_differ(generator: str) -> None:
    assert examples(generator, variant="a") != examples(generator, variant="b")


@pytest.mark.parametrize("language", TOY_LANGUAGES[1:])
@pytest.mark.parametrize("generator", GENERATORS)
def test_translations_share_items_and_labels(generator: str, language: str) -> None:
    for english, foreign in zip(examples(generator), examples(generator, language), strict=True):
        assert english.item == foreign.item
        if isinstance(english, ClassificationExample | ChoiceExample):
            assert english.label == foreign.label
        if isinstance(english, PairExample) and generator == "retrieval":
            assert english.query == foreign.query == english.candidate
        if language != "qaa" and not (isinstance(english, MiningExample) and not english.sources):
            assert english.content() != foreign.content()


@pytest.mark.parametrize("language", TOY_LANGUAGES)
@pytest.mark.parametrize("generator", ["pos", "ner"])
def test_tags_stand_one_by_one_beside_words(generator: str, language: str) -> None:
    for example in examples(generator, language):
        assert isinstance(example, TaggingExample)
        assert example.tags is not None and len(example.tags) == len(example.words)
        before = "O"
        for tag in example.tags:
            assert not tag.startswith("I-") or before[2:] == tag[2:], example
            before = tag


def test_some_words_have_two_tags() -> None:
    for generator, one, other in (("pos", "NOUN", "VERB"), ("ner", "B-LOC", "B-PER"), ("ner", "B-LOC", "B-ORG")):
        seen: dict[str, set[str]] = {}
        for example in examples(generator, size=400):
            for word, tag in zip(example.words, example.tags, strict=True):
                seen.setdefault(word, set()).add(tag)
        assert sum({one, other} <= tags for tags in seen.values()) >= 3


@pytest.mark.parametrize("language", TOY_LANGUAGES)
def test_answers_stand_in_the_context_where_they_say(language: str) -> None:
    for example in examples("qa", language, size=200):
        assert isinstance(example, SpanExample) and example.answers
        for text, start in example.answers:
            assert text and example.context[start : start + len(text)] == text
            assert f" {example.context} "[start : start + len(text) + 2] == f" {text} "
        assert len(example.context.split()) <= 60


def test_sentences_have_5_to_14_words() -> None:
    lengths = [len(example.words) for example in examples("pos", size=500)]
    assert min(lengths) >= 5 and max(lengths) <= 14


def test_labels_are_balanced() -> None:
    for generator, num in (("nli", 3), ("paraphrase", 2)):
        labels = [example.label for example in examples(generator, size=600)]
        assert len(set(labels)) == num
        assert all(abs(labels.count(label) / 600 - 1 / num) < 0.06 for label in set(labels))


def test_choices_are_as_many_as_asked() -> None:
    for num in (2, 5):
        for example in examples("choice", num_choices=num):
            assert len(set(example.choices)) == num and 0 <= example.label < num


def test_switched_texts_mix_languages_and_keep_their_length() -> None:
    for before, after in zip(examples("plain", "qab"), examples("plain", "qab", switch_frac=1.0), strict=True):
        assert before.text != after.text and len(before.text.split()) == len(after.text.split())


@pytest.mark.parametrize(
    "change", [{"generator": "nil"}, {"split": "tset"}, {"language": "de"}, {"options": {"num_choice": 3}}]
)
def test_unknown_names_are_refused(change: dict) -> None:
    with pytest.raises(UnknownNameError):
        generate(**{"generator": "nli", "split": "train", "language": "en", "size": 1, "options": {}, **change})


@pytest.mark.parametrize("options", [{"num_choices": 1}, {"num_choices": True}, {"num_choices": "4"}])
def test_options_that_mean_nothing_are_refused(options: dict) -> None:
    with pytest.raises(InputError):
        generate(generator="choice", split="train", language="en", size=1, options=options)
    with pytest.raises(InputError):
        generate(generator="plain", split="train", language="en", size=1, options={"switch_frac": 2})
