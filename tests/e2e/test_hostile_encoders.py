"""What an encoder folder or a data file can do to a run is one message of ``validate``, in bounded time and memory.

The command line is run in a child that may use 60 s of CPU and 6 GiB: without the checks it takes all there is.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from tests.e2e.studies import tiny_study
from tests.e2e.test_cli_bad_input import own_task_study, reviews

BOMB = {"type": "Replace", "pattern": {"Regex": "(([a-z ])+.)+[A-Z]([a-z ])+$"}, "content": "x"}


def said(folder: Path, *words: object, memory: int = 6 * 2**30) -> tuple[int, str]:
    """(status, standard error) of the command line, in a child with limits; the test fails where it takes too long."""

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
        resource.setrlimit(resource.RLIMIT_CPU, (60, 60))

    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "stilts.cli.main", *map(str, words)]
    ended = subprocess.run(
        command, cwd=folder, env=environment, preexec_fn=limit, capture_output=True, text=True, timeout=400, check=False
    )
    return ended.returncode, ended.stderr


def config(**fields: object) -> Callable[[Path], None]:
    def harm(encoder: Path) -> None:
        path = encoder / "config.json"
        path.write_text(json.dumps({**json.loads(path.read_text()), **fields}))

    return harm


def deep_config(encoder: Path) -> None:
    (encoder / "config.json").write_text("[" * 200_000 + "]" * 200_000)


def deep_header(encoder: Path) -> None:
    raw = b"[" * 200_000 + b"]" * 200_000
    (encoder / "encoder.safetensors").write_bytes(len(raw).to_bytes(8, "little") + raw)


def fifo(encoder: Path) -> None:
    (encoder / "encoder.safetensors").unlink()
    os.mkfifo(encoder / "encoder.safetensors")


def not_a_number(encoder: Path) -> None:
    tensors = load_file(encoder / "encoder.safetensors")
    tensors["encoder.layer.1.output.dense.bias"] = np.full(32, np.nan, np.float32)
    save_file(tensors, encoder / "encoder.safetensors")


def tokenizer(**parts: object) -> Callable[[Path], None]:
    def harm(encoder: Path) -> None:
        path = encoder / "tokenizer.json"
        path.write_text(json.dumps({**json.loads(path.read_text()), **parts}))

    return harm


@pytest.mark.parametrize(
    ("harm", "named"),
    [
        (config(num_hidden_layers=10**9), "num_hidden_layers 1000000000"),
        (config(hidden_size=10**300), "hidden_size a number of more than 30 digits"),
        (config(num_attention_heads=7), "num_attention_heads 7"),
        (config(hidden_act="evil"), 'hidden_act "evil"'),
        (config(max_position_embeddings=5000), "position_embeddings.weight is"),
        (deep_config, "config.json cannot be read as JSON (it is nested too deep)"),
        (deep_header, "encoder.safetensors: it cannot be read as safetensors (its header is nested too deep)"),
        (fifo, "encoder.safetensors is a pipe"),
        (not_a_number, "encoder.layer.1.output.dense.bias holds NaN"),
        (tokenizer(normalizer=BOMB), "retry-limit-in-match"),
        (tokenizer(model={"type": "WordLevel", "vocab": {}, "unk_token": "<unk>"}, added_tokens=[]), "0 tokens"),
    ],
)
@pytest.mark.slow
def test_an_encoder_that_cannot_run_is_one_message(harm: Callable[[Path], None], named: str, tmp_path: Path) -> None:
    study = tiny_study(tmp_path, intermediates={"none": None}, targets={"udpos": {"languages": ["en"]}})
    harm(tmp_path / "tiny")
    for words in (("validate", study), ("run", study, "--local", "--tracking-uri", "none", "--store", tmp_path / "s")):
        status, error = said(tmp_path, *words)
        assert status == 2, error
        lines = [line for line in error.splitlines() if "Warning" not in line]
        assert len(lines) == 1 and lines[0].startswith("StudyError: ") and named in lines[0], error
        assert str(study) in lines[0] and "encoder" in lines[0]
    assert not (tmp_path / "s" / "stages").exists()


@pytest.mark.slow
def test_a_text_that_would_fill_the_memory_is_named_with_its_line(tmp_path: Path) -> None:
    train, *_ = reviews(tmp_path)
    study = own_task_study(tmp_path)
    with train.open("a") as stream:
        stream.write("word " * 20_000_000 + "\tsaid\tgood\n")
    status, error = said(tmp_path, "validate", study)
    assert status == 2 and error.count("\n") == 1, error
    for words in ("en.train.tsv, line 61, field first text", "100,000,000 characters"):
        assert words in error


@pytest.mark.slow
def test_a_data_file_that_is_no_file_is_never_opened(tmp_path: Path) -> None:
    train, *_ = reviews(tmp_path)
    study = own_task_study(tmp_path)
    train.unlink()
    os.mkfifo(train)
    status, error = said(tmp_path, "validate", study)
    assert status == 2 and error.count("\n") == 1, error
    assert "en.train.tsv: it is a pipe, not a file" in error
