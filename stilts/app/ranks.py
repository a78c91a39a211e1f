"""How many processes work on a stage together: one for each GPU that it holds, or as many as were asked for."""

from __future__ import annotations

from stilts.errors import InputError
from stilts.study.slots import Resources


def device_of(asked: str | None, held: Resources, *, local: bool, most_gpus: float) -> str:
    """The device of stages that hold so much: cuda where they hold GPUs, unless told otherwise.

    InputError for cuda on a Ray cluster where no stage holds a GPU (``most_gpus``): Ray would put every stage of a node
    on its first one. Where others do, those that hold none run on the CPU.
    """
    on_gpu = asked is not None and asked.startswith("cuda")
    if on_gpu and held.gpus == 0 and most_gpus > 0:
        return "cpu"
    if on_gpu and held.gpus == 0 and not local:
        raise InputError(
            f"--device {asked}",
            "the stages of the study hold no GPU (resources.gpus is 0)",
            "All stages of a node would run on its first GPU, and none of them would be counted",
            "Give resources.gpus in the study, or run it with --local",
        )
    return asked or ("cuda" if held.gpus > 0 else "cpu")


def ranks_of(asked: int | None, held: Resources, device: str, *, local: bool) -> int:
    """How many ranks a stage has; InputError where GPUs that it holds would idle, or are fewer than its ranks."""
    on_gpus = device.startswith("cuda")
    own = max(1, int(held.gpus)) if on_gpus else 1
    if asked is None or asked == own:
        return own
    if on_gpus and not local:
        raise InputError(
            f"--ranks {asked}",
            f"a stage of the study holds {held.gpus:g} GPUs",
            "Each rank works on a GPU of its own, and one without a rank would be held and not used",
            f"Give resources: {{gpus: {asked}}} in the study, or leave --ranks out",
        )
    return asked
