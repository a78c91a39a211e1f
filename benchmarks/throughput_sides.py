"""The two sides of `throughput.py`: our loop, and transformers' `Trainer` at its best, on the same arrays.

Each function trains (or predicts) once and returns nothing: the caller holds the clock. What is made before it, the
model and the rows, is made outside the clock.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from throughput_data import Work, rows_for_trainer

from stilts.data.encoded import Encoded
from stilts.kinds.learning import add_heads, score_examples
from stilts.kinds.prepare import Preparation
from stilts.kinds.scorer import Scorer
from stilts.models.model import load_model
from stilts.study.config import Precision, TaskConfig, TrainConfig
from stilts.tasks.kinds.span_qa import SPAN_QA
from stilts.tasks.kinds.tagging import TAGGING
from stilts.tasks.task import Task
from stilts.training.device import autocast, set_up
from stilts.training.feed import TaskData, Training
from stilts.training.loop import train
from stilts.training.reporter import Evaluation, SilentReporter
from stilts.training.run_config import RunConfig

# Trainer's ways of making batches, and what each is called in its settings.
TRAINERS = {"grouped": "group_by_length", "dynamic": "random", "padded": "random"}
_RATE = 1e-4


def ours(
    work: Work, folder: Path, run: RunConfig, precision: str, attention_dropout: float | None
) -> Callable[[], None]:
    """One epoch of the stage's own loop."""
    set_up(run)
    model, _ = load_model(folder, attention_dropout=attention_dropout)
    add_heads(model, [work.task], seed=0)
    for parameter in model.lm_head.parameters():
        parameter.requires_grad_(False)
    steps = len(work.encoded) // work.config.batch_size
    training = Training(
        stage_id="train-benchmark",
        config=TrainConfig(steps=steps, learning_rate=_RATE, precision=Precision(precision)),
        seed=0,
        tasks=[TaskData(task=work.task, weight=1.0, config=work.config, train=work.encoded)],
        vocabulary=work.prepared.vocabulary(),
        run=run,
        reporter=SilentReporter(),
        evaluate=lambda _: Evaluation(scores={}),
        save=lambda _: None,
    )
    return lambda: _waited(run.device, lambda: train(model, training))


def trainer(
    way: str, work: Work, folder: Path, run: RunConfig, precision: str, attention_dropout: float | None
) -> Callable[[], None]:
    """One epoch of `Trainer`, batches made in the ``way`` named."""
    torch.use_deterministic_algorithms(False)
    made = _trainer(work.task, folder, run, precision, work.config, way, attention_dropout, rows_for_trainer(work))
    return lambda: _waited(run.device, made.train)


def our_predictions(
    task: Task, folder: Path, run: RunConfig, precision: str, prepared: Preparation, views: list[tuple[Encoded, Any]]
) -> Callable[[], None]:
    """Every view predicted and scored, as an evaluate stage does."""
    device = set_up(run)
    model, _ = load_model(folder)
    add_heads(model, [task], seed=0)
    scorer = Scorer(
        model=model.to(device),
        vocabulary=prepared.vocabulary(),
        device=device,
        eval_tokens=run.tokens_at_once,
        autocast=autocast(device, Precision(precision)),
    )

    def predict() -> None:
        for encoded, examples in views:
            score_examples(scorer, task, TaskConfig(max_length=128), encoded, examples)

    return lambda: _waited(run.device, predict)


def trainer_predictions(
    task: Task, folder: Path, run: RunConfig, precision: str, config: TaskConfig, views: list[list[dict[str, Any]]]
) -> Callable[[], None]:
    """A loop of `Trainer.predict` over the views, each padded to its batch's longest row."""
    torch.use_deterministic_algorithms(False)
    made = _trainer(task, folder, run, precision, config, "dynamic", None, [])
    return lambda: _waited(run.device, lambda: [made.predict(view) for view in views])  # type: ignore[arg-type]


def settings(run: RunConfig, precision: str, batch_size: int, way: str) -> dict[str, Any]:
    """What `Trainer` is told: its best on this device, nothing that it would do beside training."""
    return {
        **{"per_device_train_batch_size": batch_size, "per_device_eval_batch_size": 4 * batch_size},
        **{"num_train_epochs": 1, "learning_rate": _RATE, "warmup_steps": 0.1, "lr_scheduler_type": "linear"},
        **{"optim": "adamw_torch_fused", "max_grad_norm": 1.0, "bf16": precision == "bf16", "save_strategy": "no"},
        **{"logging_strategy": "no", "report_to": [], "disable_tqdm": True, "remove_unused_columns": False},
        **{"train_sampling_strategy": TRAINERS[way], "use_cpu": run.device == "cpu", "seed": 0},
        **{"dataloader_pin_memory": run.device != "cpu", "dataloader_num_workers": 0 if run.device == "cpu" else 4},
    }


def _trainer(
    task: Task,
    folder: Path,
    run: RunConfig,
    precision: str,
    config: TaskConfig,
    way: str,
    attention_dropout: float | None,
    rows: list[dict[str, Any]],
) -> Any:
    import transformers
    from transformers import Trainer, TrainingArguments

    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    arguments = TrainingArguments(
        output_dir=tempfile.mkdtemp(prefix="trainer-"), **settings(run, precision, config.batch_size, way)
    )
    model = _plain_model(task, folder, attention_dropout)
    padding = "max_length" if way == "padded" else True
    collator = _collator(task, folder, padding, config.max_length)
    return Trainer(model=model, args=arguments, train_dataset=rows, data_collator=collator)  # type: ignore[arg-type]


def _plain_model(task: Task, folder: Path, attention_dropout: float | None) -> Any:
    import transformers

    dropped = {} if attention_dropout is None else {"attention_probs_dropout_prob": attention_dropout}
    if task.kind is SPAN_QA:
        return transformers.AutoModelForQuestionAnswering.from_pretrained(folder, **dropped)
    heads = transformers.AutoModelForTokenClassification if task.kind is TAGGING else None
    heads = heads or transformers.AutoModelForSequenceClassification
    return heads.from_pretrained(folder, num_labels=len(task.labels), **dropped)


def _collator(task: Task, folder: Path, padding: Any, width: int) -> Any:
    from transformers import DataCollatorForTokenClassification, DataCollatorWithPadding, PreTrainedTokenizerFast

    tokenizer = PreTrainedTokenizerFast(tokenizer_file=str(folder / "tokenizer.json"), pad_token="<pad>")
    kind = DataCollatorForTokenClassification if task.kind is TAGGING else DataCollatorWithPadding
    return kind(tokenizer, padding=padding, max_length=width)


def _waited(device: str, work: Callable[[], object]) -> None:
    work()
    if device.startswith("cuda"):
        torch.cuda.synchronize()
