"""How an exported model is loaded and asked: the lines of Python that a model card shows."""

from __future__ import annotations

from stilts.study.record import Column


def usage(column: Column, layer: int | None = None, plain_class: str = "") -> list[str]:
    """Markdown that shows how to load and ask the model; no code of stilts is needed.

    ``plain_class`` is transformers' class, "" where it is the kind's.
    """
    plain = column.task_kind.plain
    used = plain_class or plain.auto_class
    lines = ["```python", *([plain.imports] if plain.imports else [])]
    lines += [
        f"from transformers import {used}, AutoTokenizer",
        "",
        'folder = "."  # where this card lies',
        f"tokenizer, model = AutoTokenizer.from_pretrained(folder), {used}.from_pretrained(folder).eval()",
        plain.asking,
        "```",
    ]
    if plain.remark:
        lines += ["", plain.remark.replace("{layer}", "" if layer is None else f" {layer}")]
    return lines
