"""One process of `chain.py`'s other side: what a user's script does with transformers' `Trainer`, at its best."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any

import torch
import transformers
from transformers import (
    DataCollatorForTokenClassification,
    DataCollatorWithPadding,
    PreTrainedTokenizerFast,
    Trainer,
    TrainingArguments,
)

from benchmarks.throughput_data import EVALUATED, ROOTS, SHARED
from stilts.data.load import load_examples
from stilts.tasks.registry import default_registry
from stilts.tasks.resolve import Resolver

_BATCH, _LENGTH = 32, 128


def examples_of(name: str, languages: list[str], limit: int, *, train: bool) -> list[list[Any]]:
    """Examples by language, read as a script reads files."""
    task = default_registry().task(name)
    source = task.train if train else task.test
    assert source is not None
    views = Resolver(default_registry(), ROOTS).views(source, task.kind, languages, limit=limit)
    roots = {name: str(root) for name, root in ROOTS.items()}
    return [list(load_examples(view, roots, labels=task.labels)) for view in views]


def pairs(tokenizer: Any, examples: list[Any], labels: list[str]) -> list[dict[str, Any]]:
    """Rows of sentence pairs, tokenized all at once."""
    first, second = [each.text for each in examples], [each.text_pair for each in examples]
    encoded = tokenizer(first, second, truncation=True, max_length=_LENGTH)
    return [
        {"input_ids": ids, "attention_mask": mask, "labels": labels.index(each.label)}
        for ids, mask, each in zip(encoded["input_ids"], encoded["attention_mask"], examples, strict=True)
    ]


def words(tokenizer: Any, examples: list[Any], labels: list[str]) -> list[dict[str, Any]]:
    """Rows of tagged words: the first piece of each has its label."""
    texts = [list(each.words) for each in examples]
    encoded = tokenizer(texts, is_split_into_words=True, truncation=True, max_length=_LENGTH)
    rows = []
    for number, each in enumerate(examples):
        found, before = [], None
        for word in encoded.word_ids(number):
            found.append(-100 if word is None or word == before else labels.index(each.tags[word]))
            before = word
        row = {"input_ids": encoded["input_ids"][number], "attention_mask": encoded["attention_mask"][number]}
        rows.append({**row, "labels": found})
    return rows


def main() -> None:
    """One part of the chain."""
    part, folder, encoder = sys.argv[1], Path(sys.argv[2]), SHARED / "models" / sys.argv[3]
    steps, limit, eval_limit, threads = map(int, sys.argv[4:8])
    torch.set_num_threads(threads)
    transformers.logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    tokenizer: Any = PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_file=str(encoder / "tokenizer.json"), pad_token="<pad>", model_max_length=_LENGTH
    )
    told: dict[str, Any] = {
        **{"output_dir": tempfile.mkdtemp(prefix="trainer-"), "max_steps": steps, "learning_rate": 1e-4},
        **{"per_device_train_batch_size": _BATCH, "per_device_eval_batch_size": 4 * _BATCH, "warmup_steps": 0.1},
        **{"optim": "adamw_torch_fused", "max_grad_norm": 1.0, "logging_strategy": "no", "save_strategy": "no"},
        **{"report_to": [], "disable_tqdm": True, "use_cpu": True, "train_sampling_strategy": "group_by_length"},
        **{"dataloader_pin_memory": False, "remove_unused_columns": False},
    }
    task = default_registry().task("udpos" if part == "intermediate" else "xnli")
    labels = list(task.labels)
    if part == "evaluation":
        model = transformers.AutoModelForSequenceClassification.from_pretrained(folder / "target")
        trainer = Trainer(model=model, args=TrainingArguments(**told), data_collator=DataCollatorWithPadding(tokenizer))
        for examples in examples_of("xnli", list(EVALUATED), eval_limit, train=False):
            rows = pairs(tokenizer, examples, labels)
            predicted: Any = trainer.predict(rows)  # type: ignore[arg-type]
            print(float((predicted.predictions.argmax(-1) == predicted.label_ids).mean()))
        return
    (examples,) = examples_of(task.name, ["en"], limit, train=True)
    if part == "intermediate":
        model = transformers.AutoModelForTokenClassification.from_pretrained(encoder, num_labels=len(labels))
        rows = words(tokenizer, examples, labels)
        collator: Any = DataCollatorForTokenClassification(tokenizer)
    else:
        model = transformers.AutoModelForSequenceClassification.from_pretrained(
            folder / "intermediate", num_labels=len(labels)
        )
        rows, collator = pairs(tokenizer, examples, labels), DataCollatorWithPadding(tokenizer)
    Trainer(model=model, args=TrainingArguments(**told), train_dataset=rows, data_collator=collator).train()
    model.save_pretrained(folder / part)


if __name__ == "__main__":
    main()
