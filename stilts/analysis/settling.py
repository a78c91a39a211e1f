"""What it would take to be surer of an answer: which seeds to add, and what they cost."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from stilts.analysis.spending import RowCost, compute_hours, compute_words, unit_seconds
from stilts.fingerprint import Json
from stilts.metrics.comparison import Comparison, replicates_needed
from stilts.metrics.levels import LEVEL
from stilts.metrics.resampling import Side
from stilts.study.record import NONE_ROW, Column, StudyRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class Advice:
    """One sentence, and behind it the further seeds by row with their device hours (None where not measured).

    ``settles`` says whether these seeds would tell ``against[0]`` from ``against[1]`` with 80 % power.
    """

    text: str
    seeds: Mapping[str, int]
    hours: float | None = None
    against: tuple[str, ...] = ()
    settles: bool = False


def advice_on(
    record: StudyRecord,
    column: Column,
    row: str | None,
    sides: Mapping[str, Side],
    compared: Comparison,
    costs: Mapping[str, RowCost],
    *,
    claimed: bool,
    num_claims: int = 1,
) -> Advice:
    """What more seeds would bring; ``row`` is compared with the highest other row that could be the best.

    ``claimed`` says whether the row's own gain over ``none`` is beyond chance (true for ``none`` itself), with
    ``num_claims`` gains of the matrix tested together.
    """
    if row is None:
        return Advice(text="nothing is done yet", seeds={})
    others = [name for name in sides if name != row]
    if not others:
        return Advice(text="there is no other row to compare with", seeds={})
    rival = max(others, key=lambda name: sides[name].mean)
    if row not in compared.equals:
        text = f"on report {rival} is higher than {row} beyond chance: do not count on this choice"
        return Advice(text=text, seeds={})
    made = _Maker(record=record, column=column, sides=sides, costs=costs)
    if compared.conditional:
        return made.second_seeds((row, NONE_ROW if row != NONE_ROW and NONE_ROW in sides else rival))
    if len(compared.equals) > 1:
        return made.settle(row, rival, rivals=len(compared.equals) - 1)
    if claimed or NONE_ROW not in sides:
        return Advice(text=f"{row} stands alone: no more seeds are needed", seeds={}, settles=True)
    further = made.settle(row, NONE_ROW, rivals=1, level=1 - (1 - LEVEL) / max(num_claims, 1))
    text = f"{row} stands alone among the rows, but its gain over {NONE_ROW} is not beyond chance: {further.text}"
    return Advice(text=text, seeds=further.seeds, hours=further.hours, against=further.against, settles=further.settles)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Maker:
    """What every piece of advice on one target is made from."""

    record: StudyRecord
    column: Column
    sides: Mapping[str, Side]
    costs: Mapping[str, RowCost]

    def second_seeds(self, rows: Sequence[str]) -> Advice:
        """A second seed of these rows, the least that tells anything of recipes: nothing is known of the seeds yet."""
        seeds = {name: 1 for name in rows if not self.sides[name].deterministic}
        hours, price = self._price(seeds)
        text = f"a second seed of {_listed(list(seeds))}{price} is the least that would let a difference be claimed"
        return Advice(text=text, seeds=seeds, hours=hours)

    def settle(self, row: str, rival: str, *, rivals: int, level: float = LEVEL) -> Advice:
        """The cheapest further seeds that tell the row from its rival at this level, or why seeds cannot."""
        further = replicates_needed(self.sides[row], self.sides[rival], level=level)
        pair = (row, rival)
        if further.number is None:
            gap = abs(self.sides[row].mean - self.sides[rival].mean)
            more = self._more_items() if "test items" in further.reason else ""
            text = f"more seeds will not tell {row} from {rival} ({gap:.1f} points apart): {further.reason}{more}"
            return Advice(text=text, seeds={}, against=pair)
        # 80 % power for the pair can be reached while the joint comparison over all rows is still open.
        seeds = self._cheapest(pair, max(further.number, 1))
        hours, price = self._price(seeds)
        counts = _listed([f"{number} more {'seed' if number == 1 else 'seeds'} of {n}" for n, number in seeds.items()])
        aim = "settle it" if rivals == 1 else f"tell {row} from {rival}, the closest of {rivals} rivals"
        return Advice(
            text=f"{counts}{price} would most likely {aim}", seeds=seeds, hours=hours, against=pair, settles=True
        )

    def _cheapest(self, pair: tuple[str, str], number: int) -> dict[str, int]:
        """Further seeds of the two rows that reach what ``number`` more of each would, at the least compute."""
        first, second = (self.sides[name] for name in pair)
        variances = self._variances(first, second)
        # replicates_needed counts from the smaller of the two.
        have = min(side.seeds.units for side in (first, second) if not side.deterministic)
        goal = sum(variances) / (have + number) * (1 + 1e-9)
        prices = [self._unit(name) for name in pair]
        options = []
        for own in range(4 * number + 1):
            other = _further(variances[1], second, goal - _of_mean(variances[0], first, own))
            if other is not None and not (first.deterministic and own):
                options.append((own * prices[0] + other * prices[1], own + other, own, other))
        if not options:
            return {name: number for name in pair if not self.sides[name].deterministic}
        _, total, own, other = min(options)
        if not total:  # what is there would do for the pair alone
            return {pair[0 if not first.deterministic else 1]: 1}
        return {name: count for name, count in zip(pair, (own, other), strict=True) if count}

    def _variances(self, first: Side, second: Side) -> tuple[float, float]:
        """Both sides' seed variances; one that is not known is taken to be the other's."""
        known = [side.seeds.value for side in (first, second) if side.seeds.df]
        lent = sum(known) / max(len(known), 1)
        parts = [0.0 if s.deterministic else s.seeds.value if s.seeds.df else lent for s in (first, second)]
        return parts[0], parts[1]

    def _unit(self, name: str) -> float:
        cost = self.costs.get(name)
        return unit_seconds(self.sides[name], cost) if cost else 1.0

    def _price(self, seeds: Mapping[str, int]) -> tuple[float | None, str]:
        """Device hours of the seeds, and the words for them between commas; nothing where one was not measured."""
        if not seeds or any(name not in self.costs for name in seeds):
            return None, ""
        seconds = sum(number * self._unit(name) for name, number in seeds.items())
        return compute_hours(self.record, seconds)[0], f", {compute_words(self.record, seconds)},"

    def _more_items(self) -> str:
        limit = _report_limit(self.record, self.column)
        return f"; raise limits.report ({limit} a language)" if limit else ""


def _of_mean(variance: float, side: Side, further: int) -> float:
    return 0.0 if side.deterministic else variance / (side.seeds.units + further)


def _further(variance: float, side: Side, room: float) -> int | None:
    """How many more seeds of the side bring its part of the variance into the room; None where none do."""
    if side.deterministic or variance == 0:
        return 0 if room >= 0 else None
    return max(0, math.ceil(variance / room - 1e-9) - side.seeds.units) if room > 0 else None


def _report_limit(record: StudyRecord, column: Column) -> int | None:
    """At most how many report items of a language the study evaluates, where it says so."""
    own = _at(record.settings, "targets", column.name, "limits", "report")
    limit = own if own is not None else _at(record.settings, "defaults", "limits", "report")
    return limit if isinstance(limit, int) else None


def _at(value: object, *path: str) -> Json:
    for name in path:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value  # type: ignore[return-value]


def _listed(names: Sequence[str]) -> str:
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1] if names else "")))
