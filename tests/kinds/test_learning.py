"""The two halves of every kind say the same of it."""

from __future__ import annotations

import pytest
import torch

from stilts.kinds.learning import learning_of
from stilts.study.config import TaskConfig
from stilts.tasks.kind import TaskKind
from stilts.tasks.kinds import known_kinds
from stilts.tasks.kinds.retrieval import RETRIEVAL
from tests.training.tiny import run_device

pytestmark = pytest.mark.on_device


@pytest.mark.parametrize("kind", known_kinds().all(), ids=str)
def test_the_halves_of_a_kind_agree(kind: TaskKind) -> None:
    learning = learning_of(kind)
    assert kind.learning == f"stilts.kinds.{kind.name}"
    assert kind.has_linear_labels == (learning.features is not None)
    assert learning.uses_lm_head == (kind.name == "masked_lm")
    assert (learning.head is None) == (learning.uses_lm_head or learning.export.vector is not None)


def test_a_dual_encoders_cosines_are_fp32_in_bf16_too() -> None:
    in_batch, config, device = learning_of(RETRIEVAL).in_batch, TaskConfig(temperature=0.05), run_device()
    assert in_batch is not None
    generator = torch.Generator().manual_seed(0)
    near = torch.randn(1, 32, generator=generator) + 0.05 * torch.randn(16, 32, generator=generator)
    vectors = torch.nn.functional.normalize(near, dim=-1).to(device)
    plain = in_batch.loss(vectors, config, slice(None))
    with torch.autocast(device.type, torch.bfloat16):
        loss = in_batch.loss(vectors, config, slice(None))
        rounded = (vectors[0::2] @ vectors[1::2].T).dtype
    assert rounded is torch.bfloat16 and loss.dtype is torch.float32
    assert float(loss) == float(plain)
    parts = [in_batch.loss(vectors, config, own) for own in (slice(0, 3), slice(3, 8))]
    assert float(sum(parts)) == pytest.approx(float(plain), rel=1e-6)
