"""The verb profile: where a stage's time goes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from stilts.cli.notice import notice
from stilts.cli.options import JsonOption, StoreOption, StudyPath, examples, say

if TYPE_CHECKING:
    from rich.console import RenderableType

    from stilts.app.profiling import Profiled

_STEPS = 20
# What takes less is not in the table: what a stage does not do takes a moment, too.
_LEAST_S = 5e-4


def register(app: typer.Typer) -> None:
    """Adds the verb of this file."""
    typed = "stilts profile search_spaces/mini_smoke.yaml --stage"
    app.command(epilog=examples(f'{typed} "mnli > udpos"', f"{typed} train-mnli --steps 50 --json"))(profile)


def profile(
    study: StudyPath,
    stage: Annotated[str, typer.Option(help="The stage: its id, its name (mnli/udpos), or how one of them begins.")],
    steps: Annotated[
        int, typer.Option(help="How many steps of a training are measured, behind three others.")
    ] = _STEPS,
    device: Annotated[
        str | None, typer.Option(help="cpu, cuda, or cuda:1. [default: cuda if the study's stages hold GPUs]")
    ] = None,
    store: StoreOption = None,
    json: JsonOption = False,
) -> None:
    """Say where a stage's time goes: data, passes, optimizer, evaluation, checkpoint, and what is none of them.

    Some steps of a training are taken, or all predictions of an evaluation, on the stage's own data; its parent's
    weights come from the store, or where they are not there from the study's encoder. Nothing is published.
    """
    notice.begin(f"measuring {stage} of {study}")
    from stilts.app.profiling import profiled

    found = profiled(study, stage, store, steps=steps, device=device)
    say(_value(found), lambda: _page(found), as_json=json)


def _value(found: Profiled) -> dict[str, Any]:
    one = found.profile
    whole, working, expected = (max(each, 1e-9) for each in (one.whole, one.working_s, one.expected_s))
    phases = [
        {
            "phase": phase.value,
            "seconds": seconds,
            "share": seconds / whole,
            "step_ms": 1000 * seconds / one.steps if one.steps else None,
            "stage_seconds": one.expected(phase),
            "stage_share": one.expected(phase) / expected,
        }
        for phase, seconds in one.seconds.items()
    ]
    return {
        "stage": one.stage_id,
        "name": found.name,
        "device": one.device,
        "precision": one.precision.value,
        "steps": one.steps,
        "evaluations": one.evaluations,
        "seconds": one.whole,
        "phases": phases,
        "start_seconds": {"weights": one.weights_s, "data": one.data_s},
        "stage_seconds": one.expected_s,
        "examples_per_second": one.examples / working,
        "tokens_per_second": one.tokens / working,
        "padding": one.padding,
        "peak_memory_gib": one.peak_gib,
        "limit": found.limit,
        "notes": list(found.notes),
    }


def _page(found: Profiled) -> RenderableType:
    from rich import box
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    value, one = _value(found), found.profile
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), safe_box=True)
    table.add_column("phase")
    for name in ("seconds", "share", "ms a step", "of the stage"):
        table.add_column(name, justify="right")
    for line in value["phases"]:
        if line["seconds"] >= _LEAST_S:
            step = "" if line["step_ms"] is None else f"{line['step_ms']:.1f}"
            shares = f"{line['share']:.1%}", step, f"{line['stage_share']:.1%}"
            table.add_row(line["phase"], f"{line['seconds']:.3f}", *shares)
    for name, seconds in value["start_seconds"].items():
        if seconds > 0:
            table.add_row(f"start: {name}", f"{seconds:.3f}", "", "", f"{seconds / max(one.expected_s, 1e-9):.1%}")
    what = f"{one.steps} steps" if one.steps else f"{one.evaluations} evaluations"
    head = f"{found.name} ({one.stage_id}): {what} on {one.device} in {one.precision.value}, {one.whole:.2f} s"
    rates = f"{value['examples_per_second']:.1f} examples/s, {value['tokens_per_second']:,.0f} tokens/s"
    memory = f"{one.padding:.0%} of tokens are padding, {one.peak_gib:.2f} GiB at the peak"
    told = (f"{rates}; {memory}; the stage as a whole: about {one.expected_s:.0f} s", *found.notes, found.limit)
    return Group(Text(head), table, *map(Text, told))
