"""Which tensors an encoder's checkpoint must hold, in which shapes, told from the headers of its files: no torch.

The stage that loads the weights takes them from ``checkpoint``, too; this finds before anything is run that they do not
fit config.json.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from stilts.errors import EncoderError, TransferError
from stilts.tasks.encoder_config import encoder_config, family_of, read_config_json
from stilts.tasks.safetensors_header import FLOATS, StoredTensor, read_header
from stilts.tasks.weight_files import ENCODER_FILE, LM_HEAD_FILE, weight_files

# What only a masked-LM head has: a number for each word.
_OUTPUT_BIASES = frozenset({"bias", "decoder.bias"})
_Shapes = Mapping[str, tuple[int, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """Where the tensors of a folder's encoder and masked-LM head lie, by their names without prefixes.

    ``lm_head`` is empty where the folder has none. ``heads`` are a task's, which are not taken over.
    """

    encoder: Mapping[str, StoredTensor]
    lm_head: Mapping[str, StoredTensor]
    heads: tuple[str, ...] = ()


def checkpoint(folder: Path) -> Checkpoint:
    """The tensors of a pretrained encoder, or of an artifact of a train stage; reads headers only.

    Of a pretrained encoder those files that ``weight_files`` names. EncoderError for a file that is no safetensors,
    for a folder without any, and for a tensor in two files.
    """
    if (folder / ENCODER_FILE).exists():
        head = folder / LM_HEAD_FILE  # some families have none
        return Checkpoint(
            encoder=read_header(folder / ENCODER_FILE), lm_head=read_header(head) if head.exists() else {}
        )
    asked = f"encoder in {folder}"
    family = family_of(asked, read_config_json(asked, folder / "config.json"))
    encoder: dict[str, StoredTensor] = {}
    lm_head: dict[str, StoredTensor] = {}
    heads: dict[str, None] = {}
    for tensor in (tensor for file in weight_files(folder) for tensor in read_header(file).values()):
        short = tensor.name.removeprefix(family.prefix)
        if short.startswith(family.left_out):
            continue
        in_lm_head, in_encoder = _renamed(short, family.lm_head), _renamed(short, family.body)
        if in_lm_head is None and in_encoder is None and not tensor.name.startswith(family.prefix):
            heads[short.partition(".")[0]] = None
            continue
        part, name = (encoder, in_encoder or short) if in_lm_head is None else (lm_head, in_lm_head)
        if name in part:
            raise _twice(folder, part[name], tensor)
        part[name] = tensor
    if lm_head.keys().isdisjoint(_OUTPUT_BIASES):  # ModernBERT's classifiers have layers of these names, too
        heads |= dict.fromkeys(tensor.name.partition(".")[0] for tensor in lm_head.values())
        lm_head = {}
    return Checkpoint(encoder=encoder, lm_head=lm_head, heads=tuple(heads))


def check_tensors(folder: Path) -> None:
    """Raises TransferError where the folder's safetensors and the architecture in its config.json do not fit.

    Every tensor of the architecture is there, none else, each of floating point and of the shape that config.json
    says; of some families only the built model tells (``Family.tensors``). EncoderError for a configuration or a file
    that cannot be used.
    """
    asked = f"encoder in {folder}"
    config = encoder_config(asked, read_config_json(asked, folder / "config.json"))
    found, family = checkpoint(folder), config.family
    if family.tensors is not None:
        _check_part(f"weights of the encoder in {folder}", found.encoder, dict(family.tensors(config)))
    if found.lm_head and family.lm_head_tensors is not None:
        asked = f"masked-LM head of the encoder in {folder}"
        _check_part(asked, found.lm_head, dict(family.lm_head_tensors(config)))


def _renamed(name: str, beginnings: Mapping[str, str]) -> str | None:
    """The name with our beginning for the checkpoint's, of the first that fits; None where none does."""
    for theirs, ours in beginnings.items():
        if name.startswith(theirs):
            return ours + name.removeprefix(theirs)
    return None


def _check_part(asked: str, found: Mapping[str, StoredTensor], wanted: _Shapes) -> None:
    both = sorted(wanted.keys() & found.keys())
    unlike = [
        f"{name} is {found[name].shape}, by config.json {wanted[name]}"
        for name in both
        if found[name].shape != wanted[name]
    ]
    other = [f"{name} is {found[name].dtype[:20]}" for name in both if found[name].dtype not in FLOATS]
    faults = {
        "missing": sorted(wanted.keys() - found.keys()),
        "unexpected": [f"{name[:80]} in {found[name].file.name}" for name in sorted(found.keys() - wanted.keys())],
        "of another shape": unlike,
        "no floating point": other,
    }
    if any(faults.values()):
        raise TransferError(
            asked,
            "; ".join(
                f"{len(names)} {word}: {', '.join(names[:3])}{', ...' if len(names) > 3 else ''}"
                for word, names in faults.items()
                if names
            ),
            "Tensors that do not match would leave random or forgotten weights in the model",
            "Point encoder.path to a whole checkpoint with its own config.json, or copy this one again",
        )


def _twice(folder: Path, one: StoredTensor, other: StoredTensor) -> EncoderError:
    return EncoderError(
        f"weights of the encoder in {folder}",
        f"{other.name[:80]} stands in {one.file.name} and in {other.file.name}",
        "Nothing says which of the two is meant",
        "Take the file that does not belong to the checkpoint out of the folder",
    )
