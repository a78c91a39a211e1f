"""How an exported model is loaded and asked, by task kind: the lines of Python that a model card shows."""

from __future__ import annotations

from collections.abc import Mapping

from stilts.study.record import Column

# The hub's name of what a model does, by task kind.
PIPELINES: Mapping[str, str] = {
    "classification": "text-classification",
    "tagging": "token-classification",
    "span_qa": "question-answering",
    "multiple_choice": "multiple-choice",
    "retrieval": "feature-extraction",
    "masked_lm": "fill-mask",
    "regression": "text-classification",
    "multi_label": "text-classification",
}

_CLASSES: Mapping[str, str] = {
    "classification": "AutoModelForSequenceClassification",
    "tagging": "AutoModelForTokenClassification",
    "span_qa": "AutoModelForQuestionAnswering",
    "multiple_choice": "AutoModelForMultipleChoice",
    "retrieval": "AutoModel",
    "masked_lm": "AutoModelForMaskedLM",
    "regression": "AutoModelForSequenceClassification",
    "multi_label": "AutoModelForSequenceClassification",
}

_ASKING: Mapping[str, str] = {
    "classification": """\
batch = tokenizer("A first text.", "A second, for tasks on pairs.", return_tensors="pt")
print(model.config.id2label[model(**batch).logits.argmax(-1).item()])""",
    "tagging": """\
batch = tokenizer(["Words", "of", "a", "sentence"], is_split_into_words=True, return_tensors="pt")
labels = model(**batch).logits[0].argmax(-1)
first = {word: token for token, word in reversed(list(enumerate(batch.word_ids()))) if word is not None}
print([model.config.id2label[labels[token].item()] for _, token in sorted(first.items())])""",
    "span_qa": """\
batch = tokenizer("A question?", "A paragraph that answers it.", return_tensors="pt", truncation="only_second")
out = model(**batch)  # the answer: the span of the paragraph whose two logits have the largest sum
print(out.start_logits, out.end_logits)""",
    "multiple_choice": """\
context, choices = "A context, and a question.", ["one answer", "another"]
batch = tokenizer([context] * len(choices), choices, padding=True, return_tensors="pt")
print(model(**{name: value.unsqueeze(0) for name, value in batch.items()}).logits.argmax(-1))""",
    "retrieval": """\
batch = tokenizer(["A sentence.", "Ein Satz."], padding=True, return_tensors="pt")
hidden = model(**batch, output_hidden_states=True).hidden_states[model.config.stilts["layer"]]
mask = batch["attention_mask"].unsqueeze(-1)
vectors = torch.nn.functional.normalize((hidden * mask).sum(1) / mask.sum(1), dim=-1)
print(vectors @ vectors.T)""",
    "masked_lm": """\
batch = tokenizer(f"A {tokenizer.mask_token} text.", return_tensors="pt")
print(tokenizer.decode(model(**batch).logits[0].argmax(-1)))""",
    "regression": """\
batch = tokenizer("A first text.", "A second, for tasks on pairs.", return_tensors="pt")
print(model(**batch).logits.item())  # a number on the task's scale""",
    "multi_label": """\
batch = tokenizer("A text.", return_tensors="pt")
logits = model(**batch).logits[0].tolist()
print([model.config.id2label[number] for number, logit in enumerate(logits) if logit > 0])""",
}


def usage(column: Column, layer: int | None = None) -> list[str]:
    """Markdown that shows how to load and ask the model; no code of stilts is needed."""
    name = _CLASSES[column.kind]
    lines = ["```python"]
    lines += ["import torch"] if column.kind == "retrieval" else []
    lines += [
        f"from transformers import {name}, AutoTokenizer",
        "",
        'folder = "."  # where this card lies',
        f"tokenizer, model = AutoTokenizer.from_pretrained(folder), {name}.from_pretrained(folder).eval()",
        _ASKING[column.kind],
        "```",
    ]
    if column.kind == "tagging":
        lines += ["", "A word has the label of its first token."]
    if column.kind == "retrieval":
        where = "" if layer is None else f" {layer}"
        lines += ["", f"A sentence is the normalised mean of hidden state{where}; the pooler is unused (zeros)."]
    return lines
