"""How many processes work on a stage: by the GPUs that it holds, or by what was asked."""

from __future__ import annotations

import pytest

from stilts.app.ranks import ranks_of
from stilts.errors import InputError
from stilts.study.slots import Resources


@pytest.mark.parametrize(
    ("gpus", "device", "asked", "local", "ranks"),
    [
        (0, "cpu", None, False, 1),
        (0, "cpu", 2, False, 2),
        (0.5, "cuda", None, False, 1),
        (4, "cuda", None, False, 4),
        (4, "cuda", 4, False, 4),
        (4, "cuda", None, True, 4),
        (4, "cuda", 2, True, 2),  # this machine has two
        (4, "cpu", None, False, 1),  # told to leave the GPUs alone
    ],
)
def test_there_is_a_rank_for_each_gpu(gpus: float, device: str, asked: int | None, local: bool, ranks: int) -> None:
    assert ranks_of(asked, Resources(gpus=gpus), device, local=local) == ranks


@pytest.mark.parametrize(("gpus", "asked"), [(4, 2), (1, 2), (0.5, 2)])
def test_gpus_that_would_idle_or_be_missing_are_refused(gpus: float, asked: int) -> None:
    with pytest.raises(InputError, match="Each rank works on a GPU of its own"):
        ranks_of(asked, Resources(gpus=gpus), "cuda", local=False)
