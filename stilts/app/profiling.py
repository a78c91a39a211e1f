"""Where a stage's time goes: the stage that is meant, measured here, and what limits it in words."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from stilts.app.checks import check_before_running, check_encoder
from stilts.app.places import store_url
from stilts.app.ranks import device_of
from stilts.app.searching import drawn_proposals
from stilts.app.workspace import assemble
from stilts.errors import InputError
from stilts.store import find_store, make_store
from stilts.study.holding import Holding
from stilts.study.plan import Plan
from stilts.study.planning import make_plan
from stilts.study.stage import EstimateStage, MergeStage, TrainStage
from stilts.study.stage_names import stage_names
from stilts.study.study import Study

if TYPE_CHECKING:
    from stilts.execute.profiling import Profile

_MOST_NAMED = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Profiled:
    """A stage by its name, its profile, and what was made of it: ``limit`` is one sentence, ``notes`` are others."""

    name: str
    profile: Profile
    limit: str
    notes: tuple[str, ...]


def profiled(study: str, wanted: str, store: str | None, *, steps: int, device: str | None) -> Profiled:
    """Measures a stage of a study, given by its id, its name or the beginning of one of them.

    Nothing is published. InputError where no stage, or more than one, is meant, and for what has no steps.
    """
    if steps < 1:
        raise InputError("stilts profile --steps", f"{steps} steps", "There is nothing to measure", "Ask for 1 or more")
    workspace = assemble(Study.load(study))
    holding = Holding(file=workspace.study.file)
    check_before_running(workspace)
    opened = find_store(store_url(store))
    plan = make_plan(workspace.resolved, drawn_proposals(workspace.resolved, opened))
    holding.planned(plan)
    names = stage_names(plan.record)
    stage_id = meant(wanted, plan, names)
    stage = plan.stages[stage_id]
    if isinstance(stage, EstimateStage | MergeStage):
        raise InputError(
            f'stage "{names[stage_id]}"',
            "it is an estimate" if isinstance(stage, EstimateStage) else "it is a merge",
            "It has no steps, and one pass over its data is all that it does",
            "Name a training or an evaluation",
        )
    held = holding(stage)
    place = device_of(device, held, local=True, most_gpus=holding.most_gpus)
    check_encoder(workspace)

    from stilts.app.limiting import limit_of
    from stilts.execute.profiling import profile_evaluation, profile_training

    with tempfile.TemporaryDirectory(prefix="stilts-profile-") as nowhere:
        there = opened if opened is not None else make_store(nowhere)
        run = workspace.run_config(there, held=held, device=place)
        if isinstance(stage, TrainStage):
            profile = profile_training(stage, there, run, steps)
        else:
            profile = profile_evaluation(stage, there, run)
    return Profiled(
        name=names[stage_id],
        profile=profile,
        limit=limit_of(profile, stage),
        notes=tuple(_notes(profile, names, held.gpus)),
    )


def meant(wanted: str, plan: Plan, names: Mapping[str, str]) -> str:
    """The id of the stage that is meant; InputError where none is, or several are."""
    typed = _plain(wanted)
    exact = [one for one in plan.stages if typed in (one, _plain(names[one]))]
    if len(exact) == 1:
        return exact[0]
    begun = exact or [one for one in plan.stages if one.startswith(typed) or _plain(names[one]).startswith(typed)]
    if len(begun) == 1:
        return begun[0]
    found = begun or list(plan.stages)
    told = ", ".join(f'"{names[one]}" ({one})' for one in found[:_MOST_NAMED])
    more = f" and {len(found) - _MOST_NAMED} more" if len(found) > _MOST_NAMED else ""
    raise InputError(
        f'stilts profile --stage "{wanted}"',
        f"{len(begun)} stages of the study begin so" if begun else "no stage of the study has that id or name",
        "One stage is measured at a time",
        f"Name one of them: {told}{more}",
    )


def _plain(name: str) -> str:
    """A name as it is compared: ``mnli/xnli`` is ``mnli > xnli``."""
    return "/".join(part.strip() for part in name.lower().replace(">", "/").split("/"))


def _notes(profile: Profile, names: Mapping[str, str], gpus: float) -> list[str]:
    found = []
    if profile.untrained is not None:
        parent = names.get(profile.untrained, profile.untrained)
        found.append(f"The weights of its parent ({parent}) are not in the store: it started from the study's encoder.")
    if gpus > 1:
        found.append(f"The stage holds {gpus:g} GPUs; one process on one of them was measured, with the whole batch.")
    return found
