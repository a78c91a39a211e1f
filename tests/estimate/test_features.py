"""Labelled vectors of each task kind, from a tiny encoder over toy data."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from stilts.data.tokenizing import read_tokenizer
from stilts.errors import InputError
from stilts.estimate import features as module
from stilts.estimate.features import Features, labelled_features, mean_embedding
from stilts.kinds.prepare import Preparation
from stilts.kinds.scorer import Scorer
from stilts.models.model import TOKENIZER_FILE, load_model
from stilts.tasks.kind import TaskKind
from stilts.tasks.kinds.classification import CLASSIFICATION
from stilts.tasks.kinds.multiple_choice import MULTIPLE_CHOICE
from stilts.tasks.kinds.retrieval import RETRIEVAL
from stilts.tasks.kinds.span_qa import SPAN_QA
from stilts.tasks.kinds.tagging import TAGGING
from tests.training.tiny import part, run_device, write_tiny_encoder

pytestmark = pytest.mark.on_device

NAMES = {
    CLASSIFICATION: "mnli",
    MULTIPLE_CHOICE: "hellaswag",
    TAGGING: "udpos",
    SPAN_QA: "squad",
}


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("encoders") / "tiny"
    folder.mkdir()
    write_tiny_encoder(folder)
    return folder


def looked_at(folder: Path, kind: TaskKind, eval_tokens: int = 2000) -> tuple[Scorer, object]:
    tokenizer = read_tokenizer(folder / TOKENIZER_FILE)
    prepared = Preparation(tokenizer=tokenizer, fingerprint="t", roots={})
    model, _ = load_model(folder)
    device = run_device()
    scorer = Scorer(
        model=model.to(device),
        vocabulary=prepared.vocabulary(),
        device=device,
        eval_tokens=eval_tokens,
        autocast=torch.no_grad,
    )
    mine = part(NAMES[kind], limit=24)
    return scorer, prepared.encoded_all(mine.task, mine.train, max_length=96, doc_stride=32)


def taken(folder: Path, kind: TaskKind, **changes: int) -> Features:
    scorer, encoded = looked_at(folder, kind, **changes)
    return labelled_features(scorer, kind, encoded)  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", NAMES)
def test_vectors_do_not_depend_on_how_batches_are_cut(encoder: Path, kind: TaskKind) -> None:
    found, cut = (taken(encoder, kind, eval_tokens=tokens) for tokens in (2000, 200))
    assert found.vectors.shape == (len(found.labels), 32) and len(np.unique(found.labels)) > 1
    # Batches give them in another order: compare as sets.
    rows, others = (
        np.column_stack([each.labels, each.vectors.round(4)])[np.lexsort(each.vectors.round(4).T)]
        for each in (found, cut)
    )
    assert np.allclose(rows, others, atol=1e-3)


def test_choices_and_answers_are_relative_to_their_example(encoder: Path) -> None:
    choices = taken(encoder, MULTIPLE_CHOICE)
    assert choices.vectors.sum(axis=0) == pytest.approx(np.zeros(32), abs=1e-4)
    assert choices.labels.mean() == pytest.approx(1 / 4)
    answers = taken(encoder, SPAN_QA)
    counts = np.bincount(answers.labels, minlength=3)
    assert counts[1] > 0 and counts[0] <= 2 * counts[1] and counts[2] <= counts[1]


def test_many_vectors_are_drawn_alike_whatever_the_batches(encoder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_VECTORS", 20)
    found, cut = (taken(encoder, TAGGING, eval_tokens=tokens) for tokens in (2000, 200))
    assert len(found.labels) == 20
    assert np.sort(found.vectors[:, 0]) == pytest.approx(np.sort(cut.vectors[:, 0]), abs=1e-4)


def test_a_dataset_has_one_vector(encoder: Path) -> None:
    scorer, encoded = looked_at(encoder, CLASSIFICATION)
    vector = mean_embedding(scorer, encoded)  # type: ignore[arg-type]
    assert vector == pytest.approx(taken(encoder, CLASSIFICATION).vectors.mean(axis=0), abs=1e-5)


def test_retrieval_has_no_labels_to_judge_by(encoder: Path) -> None:
    scorer, encoded = looked_at(encoder, CLASSIFICATION)
    with pytest.raises(InputError, match="no labels"):
        labelled_features(scorer, RETRIEVAL, encoded)  # type: ignore[arg-type]
