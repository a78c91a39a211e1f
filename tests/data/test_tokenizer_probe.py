"""A tokenizer that would hang, abort or index beyond the embeddings is found out in a process of its own, in time."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

import pytest

from stilts.data import tokenizer_probe
from stilts.data.tokenizer_probe import check_tokenizer, probed
from stilts.data.toy import toy_tokenizer_json
from stilts.errors import EncoderError

TOY = json.loads(toy_tokenizer_json())
SIZE = len(TOY["model"]["vocab"])
BOMB = {"Regex": "(([a-z ])+.)+[A-Z]([a-z ])+$"}
GROWING = [{"type": "Replace", "pattern": {"String": "o"}, "content": "oo"}] * 40
FLAGS = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": False}


def write(folder: Path, **parts: Any) -> Path:
    (folder / "tokenizer.json").write_text(json.dumps({**TOY, **parts}))
    return folder / "tokenizer.json"


def test_tokenizers_that_are_in_order_pass(tmp_path: Path, shared: Path) -> None:
    check_tokenizer(write(tmp_path), SIZE)
    assert probed(str(shared / "models" / "xlmr-mini" / "tokenizer.json"), 24002) == ""
    assert probed(str(shared / "models" / "e5-small" / "tokenizer.json"), 65180) == ""


@pytest.mark.parametrize(
    ("parts", "named"),
    [
        ({"normalizer": {"type": "Replace", "pattern": BOMB, "content": "x"}}, "retry-limit-in-match"),
        (
            {"pre_tokenizer": {"type": "Split", "pattern": BOMB, "behavior": "Isolated", "invert": False}},
            "retry-limit-in-match",
        ),
        ({"model": {"type": "WordLevel", "vocab": {}, "unk_token": "<unk>"}, "added_tokens": []}, "cannot be read"),
        ({"model": {"type": "WordLevel", "vocab": {"a": 3}, "unk_token": "<unk>"}}, "fails on the text"),
        (
            {"added_tokens": [*TOY["added_tokens"], {"id": SIZE, "content": "[lamp]", **FLAGS}]},
            r'1 of its tokens have no embedding.*"\[lamp\]"',
        ),
        ({"model": 5}, "cannot be read"),
    ],
)
def test_what_would_fail_later_is_told(parts: dict[str, Any], named: str, tmp_path: Path) -> None:
    with pytest.raises(EncoderError, match=named) as caught:
        check_tokenizer(write(tmp_path, **parts), SIZE)
    assert str(tmp_path / "tokenizer.json") in str(caught.value)


def test_what_grows_without_bound_ends_in_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # The limits are set in the child: it reads them from its environment's module, so they are made small there.
    limits = "import stilts.data.tokenizer_probe as p; p._CPU_S, p._MEMORY = 5, 2**30; p._limit(); "
    code = limits + "import json, sys; print(json.dumps(p.probed(sys.argv[1], int(sys.argv[2]))))"
    run = tokenizer_probe.subprocess.run

    def small(command: list[str], **options: Any) -> Any:
        return run([command[0], "-c", code, *command[3:]], **options)

    monkeypatch.setattr(tokenizer_probe.subprocess, "run", small)
    started = time.monotonic()
    with pytest.raises(EncoderError, match="takes more than"):
        check_tokenizer(write(tmp_path, normalizer={"type": "Sequence", "normalizers": GROWING}), SIZE)
    assert time.monotonic() - started < 60


def test_a_tokenizer_that_is_no_file_is_not_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "tokenizer.json")
    with pytest.raises(EncoderError, match="a pipe, not a file"):
        check_tokenizer(tmp_path / "tokenizer.json", SIZE)
    with pytest.raises(EncoderError, match=r"gone\.json"):
        check_tokenizer(tmp_path / "gone.json", SIZE)
