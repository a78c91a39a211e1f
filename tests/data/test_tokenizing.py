"""Texts reach the tokenizer in parts, with the same ids as at once; its faults and panics are one error each."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from tokenizers import Tokenizer

from stilts.data import tokenizing
from stilts.data.load import load_examples
from stilts.data.tokenizing import encodings, read_tokenizer
from stilts.data.toy import toy_tokenizer_json
from stilts.errors import DataError, EncoderError
from stilts.tasks.example import LONGEST_TEXT
from stilts.tasks.kinds.classification import CLASSIFICATION
from stilts.tasks.registry import default_registry
from stilts.tasks.resolve import Resolver
from stilts.tasks.task import SplitRef

BOMB = {"Regex": "(([a-z ])+.)+[A-Z]([a-z ])+$"}
LOWER = "the quick brown fox jumps over the lazy dog and runs away from the dogs "


def tokenizer_with(**parts: Any) -> Tokenizer:
    return Tokenizer.from_str(json.dumps({**json.loads(toy_tokenizer_json()), **parts}))


@pytest.mark.parametrize("model", ["xlmr-mini", "e5-small"])
@pytest.mark.parametrize("truncated", [None, 64])
def test_parts_give_what_one_call_gives_on_real_data(
    model: str, truncated: int | None, shared: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tokenizer = read_tokenizer(shared / "models" / model / "tokenizer.json")
    if truncated:
        tokenizer.enable_truncation(truncated, strategy="longest_first")
    resolver = Resolver(default_registry(), {"data": shared / "data"})
    views = resolver.views(SplitRef(dataset="xnli", split="test"), CLASSIFICATION, ["en", "zh", "ar", "th"], limit=150)
    examples: list[Any] = [e for view in views for e in load_examples(view, {"data": shared / "data"})]
    inputs = [(e.text, e.text_pair) for e in examples]
    whole = tokenizer.encode_batch(inputs)
    monkeypatch.setattr(tokenizing, "_AT_ONCE", 1000)
    parts = list(encodings(tokenizer, inputs))
    assert [e.ids for e in parts] == [e.ids for e in whole]
    assert [e.offsets for e in parts] == [e.offsets for e in whole]
    assert [len(e.overflowing) for e in parts] == [len(e.overflowing) for e in whole]
    words = [e.text.split() for e in examples]
    options = {"is_pretokenized": True, "add_special_tokens": False}
    assert [e.word_ids for e in encodings(tokenizer, words, **options)] == [
        e.word_ids for e in tokenizer.encode_batch(words, **options)
    ]


@pytest.mark.parametrize(
    "parts",
    [
        {"normalizer": {"type": "Replace", "pattern": BOMB, "content": "x"}},
        {"pre_tokenizer": {"type": "Split", "pattern": BOMB, "behavior": "Isolated", "invert": False}},
    ],
)
def test_a_panic_is_an_error_that_names_the_text(parts: dict[str, Any]) -> None:
    tokenizer = tokenizer_with(**parts)
    with pytest.raises(EncoderError, match=r'fails on the text "the quick brown fox.*retry-limit') as caught:
        list(encodings(tokenizer, ["AB", LOWER, "CD"]))
    assert len(str(caught.value)) < 500
    assert [e.ids for e in encodings(tokenizer, ["AB"])], "the process goes on"


def test_a_fault_of_the_tokenizer_names_the_text() -> None:
    tokenizer = tokenizer_with(model={"type": "WordLevel", "vocab": {"a": 0}, "unk_token": "<unk>"}, added_tokens=[])
    with pytest.raises(EncoderError, match='fails on the text "zzz"'):
        list(encodings(tokenizer, ["a", "zzz"], add_special_tokens=False))


def test_an_interrupt_stays_an_interrupt(monkeypatch: pytest.MonkeyPatch) -> None:
    class Interrupted:
        def encode_batch(self, *_: Any, **__: Any) -> None:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        list(encodings(Interrupted(), ["a"]))  # type: ignore[arg-type]


@pytest.mark.parametrize("text", ["x" * (LONGEST_TEXT + 1), ["x" * LONGEST_TEXT, "y"]])
def test_a_text_beyond_all_texts_is_not_handed_over(text: Any) -> None:
    with pytest.raises(DataError, match=r"2,000,001 characters") as caught:
        list(encodings(tokenizer_with(), [text]))
    assert len(str(caught.value)) < 400


def test_a_tokenizer_that_is_no_file_is_not_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "tokenizer.json")
    with pytest.raises(EncoderError, match=r"tokenizer\.json.*a pipe"):
        read_tokenizer(tmp_path / "tokenizer.json")
    (tmp_path / "deep.json").write_text("[" * 200_000)
    with pytest.raises(EncoderError, match=r"deep\.json"):
        read_tokenizer(tmp_path / "deep.json")
