"""Which tensors an encoder's checkpoint must hold, in which shapes, told from the headers of its files: no torch.

The stage that loads the weights takes them from ``checkpoint``, too; this finds before anything is run that they do not
fit config.json.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from stilts.errors import EncoderError, TransferError
from stilts.tasks.encoder_config import EncoderConfig, encoder_config, read_config_json
from stilts.tasks.safetensors_header import FLOATS, StoredTensor, read_header
from stilts.tasks.weight_files import ENCODER_FILE, LM_HEAD_FILE, weight_files

# Tensors that belong to no head and that a STILTs model has no place for, on purpose: the pooler of next-sentence
# prediction, a buffer of older versions, and the output matrix that is tied to the word embeddings.
_LEFT_OUT = ("pooler.", "embeddings.position_ids", "lm_head.decoder.")
_BODY = ("embeddings.", "encoder.")
_PREFIX = "roberta."
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
        return Checkpoint(encoder=read_header(folder / ENCODER_FILE), lm_head=read_header(folder / LM_HEAD_FILE))
    encoder: dict[str, StoredTensor] = {}
    lm_head: dict[str, StoredTensor] = {}
    heads: dict[str, None] = {}
    for tensor in (tensor for file in weight_files(folder) for tensor in read_header(file).values()):
        short = tensor.name.removeprefix(_PREFIX)
        if short.startswith(_LEFT_OUT):
            continue
        if not tensor.name.startswith(_PREFIX) and not short.startswith((*_BODY, "lm_head.")):
            heads[short.partition(".")[0]] = None
            continue
        part, name = (lm_head, short.removeprefix("lm_head.")) if short.startswith("lm_head.") else (encoder, short)
        if name in part:
            raise _twice(folder, part[name], tensor)
        part[name] = tensor
    return Checkpoint(encoder=encoder, lm_head=lm_head, heads=tuple(heads))


def check_tensors(folder: Path) -> None:
    """Raises TransferError where the folder's safetensors and the architecture in its config.json do not fit.

    Every tensor of the architecture is there, none else, each of floating point and of the shape that config.json
    says. EncoderError for a configuration or a file that cannot be used.
    """
    config = encoder_config(f"encoder in {folder}", read_config_json(f"encoder in {folder}", folder / "config.json"))
    found = checkpoint(folder)
    _check_part(f"weights of the encoder in {folder}", found.encoder, dict(encoder_tensors(config)))
    if found.lm_head:
        _check_part(f"masked-LM head of the encoder in {folder}", found.lm_head, lm_head_tensors(config))


def encoder_tensors(config: EncoderConfig) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Names, without prefix, and shapes of all weights of an encoder."""
    width, inner = config.hidden_size, config.intermediate_size
    is_xl = config.model_type == "xlm-roberta-xl"
    yield "embeddings.word_embeddings.weight", (config.vocab_size, width)
    yield "embeddings.position_embeddings.weight", (config.max_position_embeddings, width)
    yield "embeddings.token_type_embeddings.weight", (config.type_vocab_size, width)
    yield from _norm("encoder.LayerNorm" if is_xl else "embeddings.LayerNorm", width)
    norms = ("attention.self_attn_layer_norm", "LayerNorm") if is_xl else _NORMS
    for layer in range(config.num_hidden_layers):
        at = f"encoder.layer.{layer}"
        for name in ("attention.self.query", "attention.self.key", "attention.self.value", "attention.output.dense"):
            yield from _linear(f"{at}.{name}", width, width)
        yield from _linear(f"{at}.intermediate.dense", inner, width)
        yield from _linear(f"{at}.output.dense", width, inner)
        for name in norms:
            yield from _norm(f"{at}.{name}", width)


_NORMS = ("attention.output.LayerNorm", "output.LayerNorm")


def lm_head_tensors(config: EncoderConfig) -> _Shapes:
    """Names and shapes of the masked-LM head; its output matrix is the encoder's word embeddings."""
    width = config.hidden_size
    return {**dict(_linear("dense", width, width)), **dict(_norm("layer_norm", width)), "bias": (config.vocab_size,)}


def _linear(name: str, out: int, into: int) -> Iterator[tuple[str, tuple[int, ...]]]:
    yield f"{name}.weight", (out, into)
    yield f"{name}.bias", (out,)


def _norm(name: str, width: int) -> Iterator[tuple[str, tuple[int, ...]]]:
    yield f"{name}.weight", (width,)
    yield f"{name}.bias", (width,)


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
