"""What plan prints: first the number of stages that a run counts to, then where they are, time and disk."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from stilts.app.offering import ClassOffer, Offer
from stilts.app.stage_lines import DERIVED, MEASURED, StageLine
from stilts.scheduling.progress import duration
from stilts.study.cost import Cost
from stilts.study.slots import Resources


def plan_lines(study: str, cost: Cost, stages: Sequence[StageLine], filling: str, offer: Offer) -> RenderableType:
    """The one number, what it is made of, the time that it takes, then a line per kind and task."""
    given_up = f", {cost.given_up} given up" if cost.given_up else ""
    at_most = " at most" if filling else ""
    counts = f"{cost.total} stages{at_most}: {cost.done} done, {cost.to_run + cost.later} to run{given_up}"
    head = Text.assemble((f"{study}: ", ""), (counts, "bold"))
    return Group(head, *(Text(line) for line in _lines(stages, cost, filling, offer)), _table(stages, cost, offer))


def _lines(stages: Sequence[StageLine], cost: Cost, filling: str, offer: Offer) -> Iterator[str]:
    kinds = (("train", cost.train), ("evaluate", cost.evaluate), ("estimate", cost.estimate))
    told = ", ".join(f"{number} {kind}" for kind, number in kinds if number)
    of_these = f"{cost.stages} of them are known now" if cost.later else "They are"
    yield f"{of_these}: {told}; {cost.shared} shared by several cells."
    if cost.later:
        coming = (
            (cost.open_proposals, "proposals still to be drawn"),
            (cost.open_confirmations, "replicates to confirm what is chosen"),
        )
        what_for = " and ".join(f"{count} {what}" for count, what in coming if count)
        yield f"Up to {cost.later} come later, for {what_for}."
    if cost.given_up:
        yield f"{cost.given_up} are given up: pruned, or starting from a pruned one."
    if filling:
        yield filling
    if cost.stale:
        yield f"{cost.stale} stages are stale: done under an earlier version of what they mean, and run again."
    yield (
        f"About {duration(cost.hours * 3600)} on {offer.machines}, {offer.at_once} at once "
        f"({duration(cost.seconds)} of stages one after the other); "
        f"{cost.measured_frac:.0%} of it from measured stages, {_rest(cost)}."
    )
    yield from _bases(stages, cost)
    if len(offer.classes) > 1:
        yield f"By what stages hold, of each so many at once: {'; '.join(map(_class_words, offer.classes))}."
    for one in offer.lacking:
        yield f"No machine there holds {_amounts(one.cpus, one.gpus)}, as {' and '.join(one.stages)} does."
    yield f"At most {cost.disk_bytes / 2**30:.1f} GiB of weights before what is no longer needed goes."
    yield from cost.notes
    if cost.price is not None:
        yield f"{cost.gpu_hours:.1f} GPU hours, {cost.price:.2f} at the study's price."


def _bases(stages: Sequence[StageLine], cost: Cost) -> Iterator[str]:
    """What the figures of the table rest on, the measured ones and those marked "about"."""
    bases = {line[basis] for line in stages for basis in ("seconds_basis", "memory_basis")}
    if MEASURED in bases:
        yield 'Figures without "about" were measured, on stages of their like in the store.'
    if DERIVED in bases:
        rate = f", at {cost.basis}" if cost.basis else ""
        yield f'Figures with "about" are derived: time from operations and bytes{rate}, memory from sizes and lengths.'


def _rest(cost: Cost) -> str:
    return "the rest assumed" + (f" at {cost.basis}" if cost.basis and cost.measured_frac < 1 else "")


def _class_words(one: ClassOffer) -> str:
    """``train, mnli: 4 CPUs and 1 GPU (16)``."""
    return f"{', '.join(one.stages)}: {_amounts(one.cpus, one.gpus)} ({one.at_once})"


def _amounts(cpus: float, gpus: float) -> str:
    return str(Resources(cpus=cpus, gpus=gpus))


def _table(stages: Sequence[StageLine], cost: Cost, offer: Offer) -> Table:
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), safe_box=True)
    several = ["holds"] if len(offer.classes) > 1 else []
    for name in ("kind", "of", "stages", "asked for", "to run", "expected", "memory", *several):
        left = name in ("kind", "of")
        table.add_column(name, justify="left" if left else "right", no_wrap=name != "of", overflow="fold")
    for line in stages:
        numbers = map(str, (line["stages"], line["requested"], line["to_run"]))
        holds = [_amounts(line["cpus"], line["gpus"])] if several else []
        table.add_row(line["kind"], line["name"], *numbers, _time(line), _memory(line), *holds)
    if cost.later:  # what they need of memory, the lines above say
        later_s = max(0.0, cost.seconds - sum(line["seconds"] for line in stages))
        table.add_row("later", "proposals, confirmations", str(cost.later), "", str(cost.later), duration(later_s), "")
    return table


def _time(line: StageLine) -> str:
    """The seconds of those to run; "about" where some rest on arithmetic alone."""
    about = "about " if line["seconds_basis"] == DERIVED else ""
    return f"{about}{duration(line['seconds'])}"


def _memory(line: StageLine) -> str:
    """The peak of one stage, in GiB; "about" where it is by arithmetic."""
    peak = line["peak_memory_gib"]
    about = "about " if line["memory_basis"] == DERIVED else ""
    return "" if peak is None else f"{about}{peak:.1f} GiB"
