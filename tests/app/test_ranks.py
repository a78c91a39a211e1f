"""How many processes work on a stage: by the GPUs that it holds, or by what was asked."""

from __future__ import annotations

import pytest

from stilts.app.ranks import device_of, ranks_of
from stilts.errors import InputError
from stilts.study.schema import StudyResources


@pytest.mark.parametrize(
    ("gpus", "asked", "local", "device"),
    [(0, None, False, "cpu"), (0.5, None, False, "cuda"), (4, None, True, "cuda"), (2, "cpu", False, "cpu")],
)
def test_the_device_follows_from_gpus_unless_it_is_given(
    gpus: float, asked: str | None, local: bool, device: str
) -> None:
    assert device_of(asked, StudyResources(gpus=gpus), local=local) == device


def test_cuda_without_a_gpu_that_is_held_is_refused_on_ray_alone() -> None:
    with pytest.raises(InputError, match="hold no GPU"):
        device_of("cuda", StudyResources(), local=False)
    assert device_of("cuda", StudyResources(), local=True) == "cuda"


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
    assert ranks_of(asked, StudyResources(gpus=gpus), device, local=local) == ranks


@pytest.mark.parametrize(("gpus", "asked"), [(4, 2), (1, 2), (0.5, 2)])
def test_gpus_that_would_idle_or_be_missing_are_refused(gpus: float, asked: int) -> None:
    with pytest.raises(InputError, match="Each rank works on a GPU of its own"):
        ranks_of(asked, StudyResources(gpus=gpus), "cuda", local=False)


@pytest.mark.parametrize("gpus", [1.5, 2.25])
def test_a_stage_holds_a_part_of_one_gpu_or_whole_ones(gpus: float) -> None:
    with pytest.raises(ValueError, match="a part of one GPU, or whole ones"):
        StudyResources(gpus=gpus)
