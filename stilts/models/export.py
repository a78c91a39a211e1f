"""Export: a train artifact as a folder that plain ``transformers`` loads, without any code of ours.

A head has an exact counterpart among the plain classes of its encoder's family: logits agree to rounding. Each task
kind names the class, the family's ``Architecture`` says where the head goes. Of a retrieval the vector of a sentence is
the normalised mean of hidden state ``config.stilts["layer"]``. Tensors go from file to file one shard at a time: memory
does not grow with the model.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import torch
from tokenizers import Tokenizer

from stilts.errors import EncoderError, TransferError
from stilts.fingerprint import Json
from stilts.models.adapter_files import StoredAdapter, stored_adapters
from stilts.models.architecture import PlainHead
from stilts.models.architectures import ARCHITECTURES
from stilts.models.model import CONFIG_FILE, TOKENIZER_FILE, head_file
from stilts.models.weight_folders import Weights
from stilts.tasks.encoder_config import encoder_config, family_of, read_config_json
from stilts.tasks.encoder_tensors import checkpoint
from stilts.tasks.families import FAMILIES
from stilts.tasks.kind import TaskKind
from stilts.tasks.special_tokens import special_tokens, with_end

WEIGHTS_FILE, INDEX_FILE = "model.safetensors", "model.safetensors.index.json"
# Bytes of one weights file, the default of transformers' save_pretrained.
SHARD_BYTES = 5 * 10**9
# Where a tensor comes from: a file and its name there; None for zeros.
_Source: TypeAlias = tuple[Path, str] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlainForm:
    """What the configuration of a kind's plain class says, and where a head of the kind's own goes in it.

    ``head`` is given for heads that no ``HeadMaker`` makes; None: as the encoder's architecture has it. ``problem`` is
    what transformers calls the way of training; ``names`` gives the outputs' names from the task's labels,
    ``num_outputs`` their number where they have none. ``vector`` says how a text becomes a vector, for models that give
    one. ``is_lm_head``: the head is the encoder's own of masked LM.
    """

    head: PlainHead | None = None
    problem: str = ""
    names: Callable[[tuple[str, ...]], Sequence[str]] | None = None
    num_outputs: int | None = None
    is_lm_head: bool = False
    vector: Mapping[str, Json] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """What an artifact is exported as. ``learner`` names its head, None for kinds that have none of their own.

    ``layer`` is the hidden state that gives vectors (0 the embeddings); ``notes`` go into the configuration's field
    ``stilts``.
    """

    kind: TaskKind
    form: PlainForm
    learner: str | None = None
    labels: tuple[str, ...] = ()
    layer: int | None = None
    notes: Mapping[str, Json] | None = None


def export_model(source: Path | Weights, folder: Path, what: Exported, *, shard_bytes: int = SHARD_BYTES) -> None:
    """Writes configuration, tokenizer and safetensors weights of the artifact (or encoder) ``source`` into ``folder``.

    Adapters are merged into the weights that they lie on. TransferError where the artifact lacks a tensor of the plain
    class, or holds one that it has no place for.
    """
    weights = Weights(base=source) if isinstance(source, Path) else source
    folder.mkdir(parents=True, exist_ok=True)
    export_settings(weights.base, folder, what)
    export_weights(weights, folder, what, shard_bytes=shard_bytes)


def plain_class(source: Path, what: Exported) -> str:
    """The name of transformers' class that the artifact ``source`` is exported as; EncoderError where there is none."""
    asked = f"encoder in {source}"
    family = family_of(asked, read_config_json(asked, source / CONFIG_FILE))
    return _class_name(family.model_type, what)


def export_settings(source: Path, folder: Path, what: Exported) -> None:
    """Writes config.json with labels and class, and the tokenizer's files; small whatever the model."""
    config = _plain_config(source, what)
    config.architectures = [type(_skeleton(config, what)).__name__]
    config.save_pretrained(folder)
    _write_tokenizer(source, folder, config)


def export_weights(source: Weights, folder: Path, what: Exported, *, shard_bytes: int = SHARD_BYTES) -> None:
    """Writes the weights under the plain class's names, in one file or, above ``shard_bytes``, in several."""
    skeleton = plain_skeleton(source.base, what)
    shapes = _own_tensors(skeleton)
    sources = _sources(source, what, shapes, skeleton)
    adapters = stored_adapters(source, encoder_shapes(source.base))
    merging = _Merging(modules=plain_modules(skeleton, adapters), adapters=adapters)
    shards = list(_shards(sources, shapes, shard_bytes))
    if len(shards) == 1:
        _write(folder / WEIGHTS_FILE, shards[0], shapes, merging)
        return
    index: dict[str, str] = {}
    for number, shard in enumerate(shards, start=1):
        name = f"model-{number:05d}-of-{len(shards):05d}.safetensors"
        _write(folder / name, shard, shapes, merging)
        index |= dict.fromkeys(shard, name)
    (folder / INDEX_FILE).write_text(json.dumps({"metadata": {}, "weight_map": index}, indent=1, sort_keys=True))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Merging:
    """Adapters, the lowest first, and which of our modules has which matrix of the plain class."""

    modules: Mapping[str, str]
    adapters: Sequence[StoredAdapter]

    def merged(self, name: str, tensor: torch.Tensor) -> torch.Tensor:
        for adapter in self.adapters if name in self.modules else ():
            tensor = adapter.added(self.modules[name], tensor)
        return tensor


def plain_modules(skeleton: Any, adapters: Sequence[StoredAdapter]) -> dict[str, str]:
    """Our modules that adapters stand at, by the names that their matrices have in the plain class."""
    prefix, family = plain_prefix(skeleton), FAMILIES[skeleton.config.model_type]
    modules = {module for adapter in adapters for module in adapter.modules}
    return {prefix + family.stored_name(f"{module}.weight"): module for module in sorted(modules)}


def plain_skeleton(source: Path, what: Exported) -> torch.nn.Module:
    """The plain class of an artifact or encoder, without memory for its weights."""
    return _skeleton(_plain_config(source, what), what)


def encoder_shapes(source: Path) -> dict[str, tuple[int, ...]]:
    """Shapes of an encoder's tensors by their names in our module, from headers."""
    return {name: stored.shape for name, stored in checkpoint(source).encoder.items()}


def _plain_config(source: Path, what: Exported) -> Any:
    from transformers import AutoConfig

    config = AutoConfig.from_pretrained(source)
    if what.form.names is not None:
        names = what.form.names(what.labels)
        config.id2label = dict(enumerate(names))
        config.label2id = {name: number for number, name in enumerate(names)}
    if what.form.num_outputs is not None:
        config.num_labels = what.form.num_outputs
    if what.form.problem:
        config.problem_type = what.form.problem
    config.stilts = {"kind": what.kind.name, **(what.notes or {})}
    if FAMILIES[config.model_type].is_causal:
        config.pad_token_id = _padding(source, what)
    for name, value in _plain_head(config.model_type, what).fields.items():
        setattr(config, name, value)
    if what.form.vector is not None:
        config.stilts |= {"layer": what.layer, **what.form.vector}
    return config


def _skeleton(config: Any, what: Exported) -> torch.nn.Module:
    """The plain class for the configuration, without memory for its weights."""
    import transformers

    with torch.device("meta"):
        chosen = getattr(transformers, _class_name(config.model_type, what))
        make = chosen.from_config if hasattr(chosen, "from_config") else chosen
        model: torch.nn.Module = make(config)
    return model


def plain_prefix(skeleton: Any) -> str:
    """How names of the encoder's tensors begin: a bare encoder has no part of its own name."""
    base: str = skeleton.base_model_prefix
    return f"{base}." if hasattr(skeleton, base) else ""


def _class_name(model_type: str, what: Exported) -> str:
    return _plain_head(model_type, what).auto_class or what.kind.plain.auto_class


def _plain_head(model_type: str, what: Exported) -> PlainHead:
    """Where the head goes; EncoderError where the family has no such plain class."""
    found = what.form.head or ARCHITECTURES[model_type].plain.get(what.kind.plain.auto_class)
    if found is None:
        raise EncoderError(
            f"export of a {model_type} as {what.kind.plain.auto_class}",
            "transformers has no such class for it that computes what ours does",
            "An exported model gives the trained model's outputs without code of ours",
            f"Use the artifact with stilts, or an encoder of another family: {', '.join(_families_with(what))}",
        )
    return found


def _families_with(what: Exported) -> list[str]:
    return [name for name, each in ARCHITECTURES.items() if what.kind.plain.auto_class in each.plain]


def _own_tensors(skeleton: Any) -> dict[str, torch.Tensor]:
    """The tensors that a checkpoint of the class holds (without data): those not tied to others."""
    tied = skeleton.all_tied_weights_keys
    return {name: tensor for name, tensor in skeleton.state_dict().items() if name not in tied}


def _sources(source: Weights, what: Exported, shapes: Mapping[str, torch.Tensor], skeleton: Any) -> dict[str, _Source]:
    """Where each tensor of the plain class comes from; TransferError unless all match, in name and shape."""
    model_type = skeleton.config.model_type
    prefix, head, family = plain_prefix(skeleton), _plain_head(model_type, what), FAMILIES[model_type]
    found: dict[str, _Source] = {
        prefix + family.stored_name(name): at for name, at in _encoder_tensors(source.base).items()
    }
    found |= dict(_head_tensors(source, what, head, prefix))
    zeros = {name for name in shapes.keys() - found.keys() if name in head.zeros}
    found |= dict.fromkeys(zeros)
    missing, unexpected = sorted(shapes.keys() - found.keys()), sorted(found.keys() - shapes.keys())
    common = sorted(shapes.keys() & found.keys())
    unlike = [name for name in common if (at := found[name]) and _shape(at) != tuple(shapes[name].shape)]
    if missing or unexpected or unlike:
        raise TransferError(
            f"export of {source.top.name} as {what.kind.plain.auto_class}",
            f"missing: {missing[:3]}; without a place: {unexpected[:3]}; of another shape: {unlike[:3]}",
            "An export must hold the trained weights, all of them and no others",
            "Export an artifact of this version of stilts",
        )
    return {name: found[name] for name in shapes}


def _encoder_tensors(source: Path) -> dict[str, tuple[Path, str]]:
    """The encoder's tensors by their names in our module, of an artifact or of a pretrained encoder's folder."""
    return {name: (stored.file, stored.name) for name, stored in checkpoint(source).encoder.items()}


def plain_head_tensors(source: Weights, what: Exported, skeleton: Any) -> dict[str, tuple[Path, str] | None]:
    """Where the head's tensors come from, by the plain class's names; None for those that are zeros."""
    head = _plain_head(skeleton.config.model_type, what)
    zeros = skeleton.state_dict().keys() & head.zeros
    return {**dict.fromkeys(sorted(zeros)), **dict(_head_tensors(source, what, head, plain_prefix(skeleton)))}


def _head_tensors(
    source: Weights, what: Exported, head: PlainHead, prefix: str
) -> Iterator[tuple[str, tuple[Path, str]]]:
    """The head's tensors by the plain class's names."""
    if not head.modules:
        return
    file = source.lm_head if what.form.is_lm_head else source.top / head_file(what.learner or "")
    if not file.exists():
        raise TransferError(
            f"export of {source.top.name} as {what.kind.plain.auto_class}",
            f"it has no {file.name}",
            "Without the trained head there is nothing to predict with",
            "Export a model that was trained on the target",
        )
    for name in _names(file):
        module, _, part = name.rpartition(".")
        yield head.modules[module].format(prefix=prefix) + part, (file, name)


def _shards(
    sources: Mapping[str, _Source], shapes: Mapping[str, torch.Tensor], most: int
) -> Iterator[dict[str, _Source]]:
    """The tensors in their order, in groups of at most ``most`` bytes (one tensor at least)."""
    shard: dict[str, _Source] = {}
    used = 0
    for name, at in sources.items():
        size = shapes[name].numel() * 4  # fp32, the widest that is stored
        if shard and used + size > most:
            yield shard
            shard, used = {}, 0
        shard[name] = at
        used += size
    yield shard


def _write(path: Path, shard: Mapping[str, _Source], shapes: Mapping[str, torch.Tensor], merging: _Merging) -> None:
    from safetensors import safe_open
    from safetensors.torch import save_file

    tensors = {name: torch.zeros(shapes[name].shape) for name, at in shard.items() if at is None}
    for file in sorted({at[0] for at in shard.values() if at is not None}):
        with safe_open(file, framework="pt") as opened:
            tensors |= {name: opened.get_tensor(at[1]) for name, at in shard.items() if at and at[0] == file}
    tensors = {name: merging.merged(name, tensor) for name, tensor in tensors.items()}
    save_file(tensors, path, metadata={"format": "pt"})  # transformers asks for the format
    path.chmod(0o644)  # safetensors leaves it to its owner alone


def _names(file: Path) -> Sequence[str]:
    from safetensors import safe_open

    with safe_open(file, framework="pt") as opened:
        return list(opened.keys())


def _shape(at: tuple[Path, str]) -> tuple[int, ...]:
    from safetensors import safe_open

    with safe_open(at[0], framework="pt") as opened:
        return tuple(opened.get_slice(at[1]).get_shape())


def _write_tokenizer(source: Path, folder: Path, config: Any) -> None:
    """tokenizer.json as it is used here, and a configuration that names its special tokens."""
    from transformers import PreTrainedTokenizerFast

    tokenizer = with_end(Tokenizer.from_file(str(source / TOKENIZER_FILE)))
    special = special_tokens(tokenizer)
    begin, end = next(iter(special.before), None), special.behind[-1]
    roles = {"bos": begin, "cls": begin, "eos": end, "sep": end if begin is not None else None}
    roles |= {"pad": special.pad, "unk": special.unknown, "mask": special.mask}
    sizes = encoder_config(f"encoder in {source}", read_config_json(f"encoder in {source}", source / CONFIG_FILE))
    types = ["token_type_ids"] if special.has_types and sizes.type_vocab_size > 1 else []
    fast = PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=tokenizer,
        model_max_length=sizes.max_length,
        model_input_names=["input_ids", "attention_mask", *types],
        **{f"{role}_token": tokenizer.id_to_token(number) for role, number in roles.items() if number is not None},
    )
    fast.save_pretrained(folder)


def _padding(source: Path, what: Exported) -> int:
    """The padding token, by which a decoder's class for whole texts finds their last token; EncoderError for none."""
    special = special_tokens(with_end(Tokenizer.from_file(str(source / TOKENIZER_FILE))))
    if special.pad == special.behind[-1]:
        raise EncoderError(
            f"export of {source.name} as {what.kind.plain.auto_class}",
            "its tokenizer has one special token, which ends texts and pads them",
            "The plain class would take the token before it for a text's last",
            "Add a padding token to the encoder's tokenizer.json before training",
        )
    return special.pad
