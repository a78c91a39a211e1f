"""Training on random weights and random tokens, by the product's own loop: what a device is checked and timed by."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch

from stilts.data.collate import Vocabulary
from stilts.data.encoded import Encoded, Ragged
from stilts.fingerprint import Json
from stilts.kinds.learning import add_heads
from stilts.models.model import fresh_model
from stilts.study.config import Precision, TaskConfig, TrainConfig
from stilts.study.stage import MixturePart, TrainStage
from stilts.study.workload import TextLengths
from stilts.tasks.encoder import EncoderRef
from stilts.tasks.encoder_config import encoder_config
from stilts.tasks.task import Task
from stilts.training.device import set_up
from stilts.training.feed import TaskData, Training
from stilts.training.loop import train
from stilts.training.reporter import Evaluation, SilentReporter
from stilts.training.run_config import RunConfig

_XLM_R: Mapping[str, Json] = {
    "model_type": "xlm-roberta",
    "max_position_embeddings": 514,
    "type_vocab_size": 1,
    "pad_token_id": 1,
    "vocab_size": 1000,
}
_SMALL_SIZES: Mapping[str, Json] = {
    "num_hidden_layers": 2,
    "hidden_size": 128,
    "num_attention_heads": 4,
    "intermediate_size": 512,
}
SMALL: Mapping[str, Json] = {**_XLM_R, **_SMALL_SIZES}
_ROWS = 32  # of a step


def trained(
    device: torch.device,
    task: Task,
    config: Mapping[str, Json],
    *,
    steps: int,
    precision: Precision = Precision.FP32,
    reporter: SilentReporter | None = None,
    tokens: int = 32,
) -> list[float]:
    """The losses of some steps on random tokens, by the product's own loop."""
    model = fresh_model(config, 0)
    vocabulary = model.config.vocab_size
    add_heads(model, [task], 0)
    if model.lm_head is not None:
        model.lm_head.requires_grad_(False)
    run = RunConfig(device=str(device), checkpoint_every_s=float("inf"))
    set_up(run)
    training = random_training(
        task, run, steps=steps, precision=precision, tokens=tokens, vocabulary=vocabulary, reporter=reporter
    )
    state, _ = train(model, training)
    return [loss for _, loss, _ in state.curve]


def random_training(
    task: Task,
    run: RunConfig,
    *,
    steps: int,
    precision: Precision,
    tokens: int,
    vocabulary: int,
    rows: int = _ROWS,
    reporter: SilentReporter | None = None,
) -> Training:
    """Steps of a classification on ``rows`` full rows of random tokens; nothing is evaluated or kept."""
    train_rows = _random_rows(task, rows, tokens, vocabulary)
    return Training(
        stage_id="random",
        config=TrainConfig(steps=steps, learning_rate=1e-4, precision=precision),
        seed=0,
        tasks=[TaskData(task=task, weight=1.0, config=_config(tokens, rows), train=train_rows)],
        vocabulary=Vocabulary(size=vocabulary, pad=1, mask=vocabulary - 1, special=(0, 1, 2)),
        run=run,
        reporter=reporter or SilentReporter(),
        evaluate=lambda current: Evaluation(scores={}),
        save=lambda folder: None,
    )


def _config(tokens: int, rows: int = _ROWS) -> TaskConfig:
    return TaskConfig(batch_size=rows, max_length=tokens)


def _random_rows(task: Task, rows: int, tokens: int, vocabulary: int) -> Encoded:
    """Two batches."""
    number = 2 * rows
    random = np.random.Generator(np.random.Philox(0))
    ids = [random.integers(3, vocabulary - 1, tokens).astype(np.int32) for _ in range(number)]
    return Encoded(
        ids=Ragged.of(ids),
        rows_per_unit=1,
        unit_example=np.arange(number, dtype=np.int32),
        num_examples=number,
        num_truncated=0,
        labels=random.integers(0, len(task.labels), number).astype(np.int32),
    )


def full_rows(tokens: int) -> TextLengths:
    """Rows that are all of one length, as here."""
    return TextLengths(tokens=tokens, longest=tokens, rows=1.0, examples=2 * _ROWS, is_measured=True)


def timed_stage(task: Task, sizes: Mapping[str, Json], tokens: int) -> TrainStage:
    """One step of what is timed, as a stage: what is counted and forecast."""
    shape = encoder_config("the encoder that is timed", sizes).shape
    encoder = EncoderRef(name="timed", fingerprint="none", tokenizer="none", num_layers=shape.layers, shape=shape)
    part = MixturePart(task=task, weight=1.0, config=_config(tokens), train=())
    training = TrainConfig(steps=1, precision=Precision.BF16)
    return TrainStage(parent=None, encoder=encoder, mixture=(part,), config=training, seed=0)
