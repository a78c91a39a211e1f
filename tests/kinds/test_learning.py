"""The two halves of every kind say the same of it."""

from __future__ import annotations

import pytest

from stilts.kinds.learning import learning_of
from stilts.tasks.kind import TaskKind
from stilts.tasks.kinds import known_kinds


@pytest.mark.parametrize("kind", known_kinds().all(), ids=str)
def test_the_halves_of_a_kind_agree(kind: TaskKind) -> None:
    learning = learning_of(kind)
    assert kind.learning == f"stilts.kinds.{kind.name}"
    assert kind.has_linear_labels == (learning.features is not None)
    assert learning.uses_lm_head == (kind.name == "masked_lm")
    assert (learning.head is None) == (learning.uses_lm_head or learning.export.vector is not None)
