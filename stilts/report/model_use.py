"""How an exported model is loaded and asked: the lines of Python that a model card shows."""

from __future__ import annotations

from dataclasses import dataclass

from stilts.study.record import Column


@dataclass(frozen=True, slots=True, kw_only=True)
class PlainBase:
    """The pretrained encoder that an adapter lies on: a hub id with its commit, or a name."""

    name: str
    revision: str | None = None


def usage(column: Column, layer: int | None = None, plain_class: str = "", base: PlainBase | None = None) -> list[str]:
    """Markdown that shows how to load and ask the model; no code of stilts is needed.

    ``plain_class`` is transformers' class, "" where it is the kind's. With ``base`` the model is an adapter on that
    encoder, which peft loads.
    """
    plain = column.task_kind.plain
    used = plain_class or plain.auto_class
    lines = ["```python", *([plain.imports] if plain.imports else [])]
    lines += [*(_whole(used) if base is None else _on(base, used)), plain.asking, "```"]
    if plain.remark:
        lines += ["", plain.remark.replace("{layer}", "" if layer is None else f" {layer}")]
    return lines


def _whole(used: str) -> list[str]:
    return [
        f"from transformers import {used}, AutoTokenizer",
        "",
        'folder = "."  # where this card lies',
        f"tokenizer, model = AutoTokenizer.from_pretrained(folder), {used}.from_pretrained(folder).eval()",
    ]


def _on(base: PlainBase, used: str) -> list[str]:
    revision = "" if base.revision is None else f', revision="{base.revision}"'
    return [
        "from peft import PeftModel",
        f"from transformers import AutoConfig, {used}, AutoTokenizer",
        "",
        f'folder, encoder = ".", "{base.name}"  # where this card lies, and the encoder that the adapter lies on',
        "tokenizer, config = AutoTokenizer.from_pretrained(folder), AutoConfig.from_pretrained(folder)",
        f"bare = {used}.from_pretrained(encoder, config=config{revision})",
        "model = PeftModel.from_pretrained(bare, folder).eval()",
    ]
