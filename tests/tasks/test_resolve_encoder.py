from __future__ import annotations

import json
import socket
import tempfile
from pathlib import Path

import pytest

from stilts.errors import EncoderError
from stilts.tasks.resolve_encoder import encoder_from_folder, encoder_from_hub
from tests.odd_files import put_odd

CONFIG = {
    "model_type": "xlm-roberta",
    "num_hidden_layers": 4,
    "max_position_embeddings": 514,
    "pad_token_id": 1,
    "hidden_size": 8,
    "num_attention_heads": 2,
    "intermediate_size": 16,
}


def make(folder: Path, **config: object) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "config.json").write_text(json.dumps(CONFIG | config))
    (folder / "tokenizer.json").write_text("{}")
    (folder / "model.safetensors").write_bytes(b"weights")
    return folder


def test_equal_bytes_are_one_encoder_wherever_they_lie(tmp_path: Path) -> None:
    make(tmp_path / "a"), make(tmp_path / "b")
    one = encoder_from_folder("one", "models", "a", {"models": tmp_path})
    other = encoder_from_folder("other", "models", "b", {"models": tmp_path})
    assert one.payload() == other.payload() and one.num_layers == 4
    assert one.location == {"root": "models", "path": "a"}


@pytest.mark.parametrize("changed", ["config.json", "tokenizer.json", "model.safetensors"])
def test_every_file_bears_identity(tmp_path: Path, changed: str) -> None:
    folder = make(tmp_path / "a")
    before = encoder_from_folder("x", "models", "a", {"models": tmp_path}).payload()
    (folder / changed).write_bytes((folder / changed).read_bytes() + b" ")
    assert encoder_from_folder("x", "models", "a", {"models": tmp_path}).payload() != before


@pytest.mark.parametrize("missing", ["config.json", "tokenizer.json", "model.safetensors"])
def test_a_missing_file_is_named(tmp_path: Path, missing: str) -> None:
    (make(tmp_path / "a") / missing).unlink()
    with pytest.raises(EncoderError, match="safetensors"):
        encoder_from_folder("x", "models", "a", {"models": tmp_path})


def test_pickled_weights_are_refused(tmp_path: Path) -> None:
    folder = make(tmp_path / "a")
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    with pytest.raises(EncoderError, match=r"pytorch_model\.bin.*run code"):
        encoder_from_folder("x", "models", "a", {"models": tmp_path})


@pytest.mark.parametrize("config", [{"model_type": "gpt2"}, {"num_hidden_layers": "4"}, {"num_hidden_layers": 0}])
def test_another_architecture_is_refused(tmp_path: Path, config: dict[str, object]) -> None:
    make(tmp_path / "a", **config)
    with pytest.raises(EncoderError, match=r"config\.json says"):
        encoder_from_folder("x", "models", "a", {"models": tmp_path})


def test_folders_roots_and_broken_configs(tmp_path: Path) -> None:
    with pytest.raises(EncoderError, match="no root"):
        encoder_from_folder("x", "models", "a", {})
    with pytest.raises(EncoderError, match="no folder"):
        encoder_from_folder("x", "models", "a", {"models": tmp_path})
    (make(tmp_path / "a") / "config.json").write_text("{")
    with pytest.raises(EncoderError, match="not JSON"):
        encoder_from_folder("x", "models", "a", {"models": tmp_path})


def test_the_hub_is_pinned_to_a_commit() -> None:
    config = CONFIG | {"model_type": "xlm-roberta-xl", "num_hidden_layers": 36}
    ref = encoder_from_hub("a/b", ask=lambda repo, revision: ("c" * 40, config))
    assert "c" * 40 in ref.fingerprint and ref.num_layers == 36
    assert ref.location == {"repo": "a/b", "revision": "c" * 40}


def test_the_small_encoder_resolves(shared: Path) -> None:
    ref = encoder_from_folder("mini", "models", "xlmr-mini", {"models": shared / "models"})
    assert ref.num_layers == 4 and ref.fingerprint.startswith("sha256:")


@pytest.mark.parametrize("name", ["config.json", "tokenizer.json", "model.safetensors"])
@pytest.mark.parametrize("kind", ["a pipe", "a folder", "a device", "a socket"])
def test_what_is_no_file_is_refused_and_never_opened(name: str, kind: str, tmp_path: Path) -> None:
    path = make(tmp_path / "a") / name
    path.unlink()
    with socket.socket(socket.AF_UNIX) as bound:
        if not put_odd(kind.removeprefix("a "), path):
            short = Path(tempfile.mkdtemp()) / "s"  # a socket's path has room for about 100 characters
            bound.bind(str(short))
            path.symlink_to(short)
        with pytest.raises(EncoderError, match=rf"{name} is {kind}, not a file"):
            encoder_from_folder("x", "models", "a", {"models": tmp_path})


def test_files_behind_symlinks_are_read_as_in_the_hubs_cache(tmp_path: Path) -> None:
    (tmp_path / "blobs").mkdir()
    folder = make(tmp_path / "a")
    plain = encoder_from_folder("x", "models", "a", {"models": tmp_path})
    for path in list(folder.iterdir()):
        path.rename(tmp_path / "blobs" / path.name)
        path.symlink_to(Path("..") / "blobs" / path.name)
    assert encoder_from_folder("x", "models", "a", {"models": tmp_path}).payload() == plain.payload()
