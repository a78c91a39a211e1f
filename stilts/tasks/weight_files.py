"""Which files of an encoder's folder hold its weights: those that the index names, or ``model.safetensors``; no others.

People keep old copies, adapters and other formats beside; none of them is read.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from stilts.bounded_file import read_bounded
from stilts.bounded_json import parsed_json
from stilts.errors import DataError, EncoderError

# The files of a train stage's artifact; a pretrained encoder has other names, and both parts in one.
ENCODER_FILE, LM_HEAD_FILE = "encoder.safetensors", "lm_head.safetensors"
WEIGHTS, INDEX = "model.safetensors", "model.safetensors.index.json"
_ADAPTER = "adapter_"
# An index names each tensor with its file: some 100 bytes for each of XLM-R XXL's 1,600.
_MOST_BYTES = 16 * 2**20


def weight_files(folder: Path) -> list[Path]:
    """The files to read, by name; EncoderError where none is there, or several and nothing says which is meant."""
    if (folder / ENCODER_FILE).exists():
        return [path for path in (folder / ENCODER_FILE, folder / LM_HEAD_FILE) if path.exists()]
    if (folder / WEIGHTS).exists():
        return [folder / WEIGHTS]
    if (folder / INDEX).exists():
        return _indexed(folder)
    others = [path for path in _all(folder) if not path.name.startswith(_ADAPTER)]
    if len(others) == 1:
        return others
    raise _none(folder) if not others else _several(folder, others)


def files_not_read(folder: Path) -> list[str]:
    """The names of the safetensors files that lie beside."""
    read = {path.name for path in weight_files(folder)}
    return [path.name for path in _all(folder) if path.name not in read]


def _all(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.safetensors"))


def _indexed(folder: Path) -> list[Path]:
    path = folder / INDEX
    try:
        index = parsed_json(read_bounded(path, _MOST_BYTES).decode("utf-8", "replace"), path, why="It says which files")
    except DataError as error:
        raise EncoderError(f"weights index {path}", error.found, error.why, "Copy the checkpoint again") from error
    names = index.get("weight_map") if isinstance(index, Mapping) else None
    if not isinstance(names, Mapping) or not names or not all(map(_is_plain, names.values())):
        raise EncoderError(
            f"weights index {path}",
            "it has no weight_map from tensors to files of this folder",
            "It says which files hold the weights",
            "Copy the checkpoint again, or save it with save_pretrained()",
        )
    return [folder / name for name in sorted({str(name) for name in names.values()})]


def _is_plain(name: object) -> bool:
    return isinstance(name, str) and name == Path(name).name and name.endswith(".safetensors")


def _none(folder: Path) -> EncoderError:
    pickled = sorted(path.name for path in folder.glob("*.bin"))
    adapter = any(path.name.startswith(_ADAPTER) for path in _all(folder))
    found = f"only {', '.join(pickled)} in {folder}" if pickled else f"no *.safetensors in {folder}"
    if adapter:
        found = f"only an adapter in {folder}"
    return EncoderError(
        f"encoder in {folder}",
        found,
        "An adapter is no encoder"
        if adapter
        else "Pickled weights can run code when they are loaded"
        if pickled
        else "There are no weights to start from",
        "Merge it into its encoder first"
        if adapter
        else "Save the model with save_pretrained(), which writes safetensors",
    )


def _several(folder: Path, files: list[Path]) -> EncoderError:
    return EncoderError(
        f"encoder in {folder}",
        f"{len(files)} safetensors files ({', '.join(path.name for path in files[:4])}), none of them {WEIGHTS}",
        f"Nothing says which of them the encoder is: there is no {INDEX} either",
        f"Name the one that is meant {WEIGHTS}",
    )
