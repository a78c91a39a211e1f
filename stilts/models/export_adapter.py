"""Export of adapters as peft has them: a small folder beside the pretrained encoder, for ``PeftModel.from_pretrained``.

All adapters of a model become one: their matrices side by side compute the sum of what each computes. The head goes
with them, as one of the modules that peft keeps whole (``modules_to_save``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import torch

from stilts.errors import InputError
from stilts.models.adapter_files import A, B, StoredAdapter, stored_adapters
from stilts.models.export import (
    Exported,
    encoder_shapes,
    export_settings,
    plain_head_tensors,
    plain_modules,
    plain_prefix,
    plain_skeleton,
)
from stilts.models.transfer import read_tensors
from stilts.models.weight_folders import Weights

PEFT_WEIGHTS = "adapter_model.safetensors"
# How peft names what is inside the model that it wraps.
_WRAPPED = "base_model.model."


def export_adapter(source: Weights, folder: Path, what: Exported, *, base: str) -> None:
    """Writes adapter_config.json and adapter_model.safetensors, configuration and tokenizer into ``folder``.

    ``base`` is where peft's users find the pretrained encoder. InputError where there is no adapter, and for a trained
    masked-LM head, whose output matrix peft would take for a part of it.
    """
    from safetensors.torch import save_file

    _check(source, what)
    folder.mkdir(parents=True, exist_ok=True)
    export_settings(source.base, folder, what)
    skeleton = plain_skeleton(source.base, what)
    adapters = stored_adapters(source, encoder_shapes(source.base))
    theirs = {ours: name.removesuffix(".weight") for name, ours in plain_modules(skeleton, adapters).items()}
    tensors = _joined(adapters, theirs)
    head = _head(source, what, skeleton)
    kept = sorted({_module(name, plain_prefix(skeleton)) for name in head})
    _write_config(folder, tensors, kept, base)
    found = {f"{_WRAPPED}{name}": tensor.contiguous() for name, tensor in {**tensors, **head}.items()}
    save_file(found, folder / PEFT_WEIGHTS, metadata={"format": "pt"})
    (folder / PEFT_WEIGHTS).chmod(0o644)  # safetensors leaves it to its owner alone


def _check(source: Weights, what: Exported) -> None:
    if not source.adapters:
        raise InputError(
            f"adapter of {source.top.name}",
            "its training moved all weights, or none",
            "There is no adapter to hand out",
            "Leave --adapter out: the whole model is written",
        )
    if what.form.is_lm_head:
        raise InputError(
            f"adapter of {source.top.name}",
            "its head is that of masked LM",
            "Its output matrix is the word embeddings, which peft would save with it",
            "Leave --adapter out: the whole model is written",
        )


def _joined(adapters: Sequence[StoredAdapter], theirs: Mapping[str, str]) -> dict[str, torch.Tensor]:
    """All adapters as one with scaling 1, by the plain class's names: rows of all A, scaled columns of all B."""
    found: dict[str, torch.Tensor] = {}
    for ours, module in theirs.items():
        own = [adapter for adapter in adapters if ours in adapter.modules]
        low = [adapter.tensors[f"{ours}.{A}.weight"].float() for adapter in own]
        high = [adapter.config.scaling * adapter.tensors[f"{ours}.{B}.weight"].float() for adapter in own]
        found |= {f"{module}.{A}.weight": torch.cat(low), f"{module}.{B}.weight": torch.cat(high, dim=1)}
    return found


def _head(source: Weights, what: Exported, skeleton: torch.nn.Module) -> dict[str, torch.Tensor]:
    shapes = {name: tensor.shape for name, tensor in skeleton.state_dict().items()}
    return {
        name: torch.zeros(shapes[name]) if at is None else read_tensors(at[0])[at[1]]
        for name, at in plain_head_tensors(source, what, skeleton).items()
    }


def _module(name: str, prefix: str) -> str:
    """The outermost module of a tensor of the head; a pooler is one within the encoder."""
    within = prefix if prefix and name.startswith(prefix) else ""
    return within + name.removeprefix(within).partition(".")[0]


def _write_config(folder: Path, joined: dict[str, torch.Tensor], heads: list[str], base: str) -> None:
    from peft import LoraConfig

    ends = f".{A}.weight"
    ranks = {name.removesuffix(ends): len(tensor) for name, tensor in joined.items() if name.endswith(ends)}
    usual = min(ranks.values())
    others = {module: rank for module, rank in ranks.items() if rank != usual}
    config = LoraConfig(
        r=usual,
        lora_alpha=usual,
        target_modules=sorted(ranks),
        rank_pattern=others,
        alpha_pattern=dict(others),
        modules_to_save=heads or None,
        bias="none",
        base_model_name_or_path=base,
        inference_mode=True,
    )
    config.save_pretrained(str(folder))
