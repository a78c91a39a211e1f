"""What is checked of the device that a machine offers, before a study holds it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stilts.errors import InputError
from stilts.tasks.registry import default_registry

if TYPE_CHECKING:
    from stilts.execute.finding import Finding

# A task with a few labels; its examples are made up.
_CHECKED_WITH = "mnli"


def findings(device: str, shape: str | None = None) -> list[Finding]:
    """The findings of every check on the device; InputError where torch does not have it.

    ``shape`` is that of the encoder whose training is timed: small, base or large; None: large on a GPU, small else.
    """
    import torch

    from stilts.execute.device_checks import check_device

    asked = f"stilts doctor --device {device}"
    try:
        place = torch.device(device)
    except RuntimeError as error:
        raise InputError(asked, "torch knows no such device", next_step="Take cpu, cuda, or cuda:1") from error
    if place.type == "cuda" and not torch.cuda.is_available():
        built = torch.version.cuda or "no CUDA: it is the CPU build"
        raise InputError(
            asked,
            f"torch {torch.__version__} sees no GPU (built for {built})",
            "Stages that ask for a GPU would fail here",
            "Install torch's CUDA build, look at nvidia-smi, or name --device cpu",
        )
    task = default_registry().task(_CHECKED_WITH)
    return check_device(place, task, shape or ("large" if place.type == "cuda" else "small"))
