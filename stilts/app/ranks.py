"""How many processes work on a stage together: one for each GPU that it holds, or as many as were asked for."""

from __future__ import annotations

from stilts.errors import InputError
from stilts.study.schema import StudyResources


def device_of(asked: str | None, held: StudyResources, *, local: bool) -> str:
    """The device of stages: cuda where they hold GPUs, unless told otherwise.

    InputError for cuda on a Ray cluster where no GPU is held: Ray would put every stage of a node on its first one.
    """
    if asked is not None and asked.startswith("cuda") and held.gpus == 0 and not local:
        raise InputError(
            f"--device {asked}",
            "the stages of the study hold no GPU (resources.gpus is 0)",
            "All stages of a node would run on its first GPU, and none of them would be counted",
            "Give resources.gpus in the study, or run it with --local",
        )
    return asked or ("cuda" if held.gpus > 0 else "cpu")


def ranks_of(asked: int | None, held: StudyResources, device: str, *, local: bool) -> int:
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
