"""Stages written down by hand, for tests of identity: no catalogue, no data and no encoder behind them."""

from __future__ import annotations

from typing import Any

from stilts.study.config import Precision, TaskConfig, TrainConfig
from stilts.study.stage import EvaluateItem, EvaluateStage, MixturePart, TrainStage, Use
from stilts.tasks.encoder import EncoderRef
from stilts.tasks.encoder_shape import EncoderShape
from stilts.tasks.kinds.classification import CLASSIFICATION
from stilts.tasks.kinds.masked_lm import MASKED_LM
from stilts.tasks.kinds.retrieval import RETRIEVAL
from stilts.tasks.kinds.span_qa import SPAN_QA
from stilts.tasks.kinds.tagging import TAGGING
from stilts.tasks.task import Source, SplitRef, Task
from stilts.tasks.view import DataView

SHAPE = EncoderShape(
    layers=4, width=64, inner=256, heads=4, key_value_heads=4, head_width=16, vocabulary=1000, embedding_width=64
)
ENCODER = EncoderRef(
    name="small",
    fingerprint="sha256:aa",
    tokenizer="sha256:bb",
    num_layers=4,
    max_length=128,
    location={"root": "study", "path": "encoders/small"},
)
NLI = Task(
    name="xnli",
    kind=CLASSIFICATION,
    metric="accuracy",
    labels=("yes", "no"),
    train=SplitRef(dataset="mnli", split="train"),
    test=SplitRef(dataset="xnli", split="test"),
    trained_as="mnli",
)
TAGS = Task(name="udpos", kind=TAGGING, metric="accuracy", labels=("NOUN", "VERB"))
QA = Task(name="xquad", kind=SPAN_QA, metric="squad")
PAIRS = Task(name="tatoeba", kind=RETRIEVAL, metric="retrieval_accuracy")
TEXT = Task(name="plain", kind=MASKED_LM, metric="masked_accuracy")


def view(**changes: Any) -> DataView:
    fields: dict[str, Any] = {
        "dataset": "mnli",
        "kind": CLASSIFICATION,
        "split": "train",
        "language": "en",
        "source": Source.FILES,
        "fingerprint": "sha256:cc",
        "reader": "csv/1",
        "options": {"header": True},
        "location": {"root": "data", "paths": ["mnli/train.csv"]},
    }
    return DataView(**{**fields, **changes})


def part(task: Task = NLI, weight: float = 1.0, **changes: Any) -> MixturePart:
    fields: dict[str, Any] = {"config": TaskConfig(layer=2), "train": (view(),), "select": (view(split="dev"),)}
    return MixturePart(task=task, weight=weight, **{**fields, **changes})


def train_stage(*parts: MixturePart, **changes: Any) -> TrainStage:
    fields: dict[str, Any] = {
        "parent": None,
        "encoder": ENCODER,
        "config": TrainConfig(steps=100, learning_rate=2e-5),
        "seed": 7,
    }
    return TrainStage(mixture=parts or (part(),), **{**fields, **changes})


def item(language: str, use: Use = Use.REPORT, **changes: Any) -> EvaluateItem:
    fields = {"dataset": "xnli", "split": "test", "fingerprint": f"sha256:{language}", **changes}
    return EvaluateItem(use=use, view=view(language=language, **fields))


def evaluate_stage(*items: EvaluateItem, **changes: Any) -> EvaluateStage:
    fields: dict[str, Any] = {
        "parent": "train-mnli-000000000000",
        "encoder": ENCODER,
        "task": NLI,
        "config": TaskConfig(layer=2),
        "precision": Precision.FP32,
    }
    return EvaluateStage(items=items or (item("de"), item("sw")), **{**fields, **changes})
