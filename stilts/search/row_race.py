"""RowRace: the seeds of one searched row's proposals, as a racing policy grants them.

Scores are read from the study's published evaluations, so a new process decides as the last one would have.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field, replace

from stilts.ledger.decision import Decision, Grant, RowEnd
from stilts.ledger.evaluations import Evaluations
from stilts.metrics.item_scores import ItemScores
from stilts.search.deciding import Known, Situation
from stilts.search.racing import Contender, NoRacing, RacingPolicy, WilcoxonRacing
from stilts.store.artifact_store import ArtifactStore
from stilts.study.plan import Plan
from stilts.study.record import Replicate
from stilts.study.search_schema import Search
from stilts.study.search_space import Proposal
from stilts.study.stage import Use
from stilts.tasks.kinds import metric_named


@dataclass(frozen=True, slots=True, kw_only=True)
class _Scored:
    """One replicate's selection score (0 to 100, the mean over languages) and its examples' scores by language."""

    score: float
    items: Mapping[str, ItemScores]


@dataclass(kw_only=True)
class RowRace:
    """One searched row whose proposals may have up to ``most`` seeds; ``total`` is how many proposals it may have.

    ``columns`` are the choosing targets: those that the row's objectives look at. A proposal that failed or was pruned
    on one of them takes no part.

    A race is looked at when nothing else is ready, before a further proposal is drawn: a seed of a known recipe
    settles who is best among those that there are, and what the sampler is told of them, before money goes into
    another recipe; and it is decided on finished scores only. A lone proposal waits for a second one unless no other
    can come.
    """

    row: str
    most: int
    total: int
    columns: Sequence[str]
    policy: RacingPolicy
    store: ArtifactStore
    _grants: dict[int, Grant] = field(default_factory=dict, init=False)
    _scored: dict[str, _Scored] = field(default_factory=dict, init=False)
    _settled: object = field(default=None, init=False)
    _ended: str | None = field(default=None, init=False)

    def seeded(self, proposals: Sequence[Proposal]) -> list[Proposal]:
        """The proposals with the seeds that they have now."""
        return [replace(one, seeds=self._seeds_of(one.number)) for one in proposals]

    @property
    def first(self) -> int:
        """The seeds that every proposal starts with."""
        return self.policy.first(self.most)

    def decide(self, view: Known, situation: Situation) -> Sequence[Decision]:
        """Whose seeds or reasons are others than before; that the row ends instead, where a seed is not to be had."""
        if self.most == 1 or isinstance(self.policy, NoRacing) or self._ended == situation.budget:
            return []
        contenders, drawn = self._contenders(view.plan, view.done)
        looked_at = [(one.proposal, one.granted, len(one.scores)) for one in contenders]
        if looked_at == self._settled or (len(contenders) < 2 and drawn < self.total):
            return []
        self._settled = looked_at
        grants = [replace(one, row=self.row) for one in self.policy.grants(contenders, most=self.most)]
        if situation.ends and any(one.seeds > self._seeds_of(one.proposal) for one in grants):
            return [RowEnd(row=self.row, budget=situation.budget, reason=situation.ends)]
        told = {number: (one.seeds, one.reason) for number, one in self._grants.items()}
        return [one for one in grants if told.get(one.proposal) != (one.seeds, one.reason)]

    def took(self, decision: Decision) -> bool:
        """Goes on from the seeds that were granted; whether a proposal has one more."""
        if isinstance(decision, RowEnd) and decision.row == self.row:
            self._ended = decision.budget
        if not isinstance(decision, Grant) or decision.row != self.row:
            return False
        before = self._seeds_of(decision.proposal)
        self._grants[decision.proposal] = decision
        return decision.seeds > before

    def _seeds_of(self, number: int) -> int:
        return min(self.most, self._grants[number].seeds if number in self._grants else self.first)

    def _contenders(self, plan: Plan, done: Set[str]) -> tuple[list[Contender], int]:
        """Who takes part, by number, and how many proposals there are in all."""
        found: dict[int, dict[str, dict[int | None, Replicate]]] = {}
        for one in plan.replicates:
            if one.row == self.row and one.proposal is not None and one.bears_on_choice:
                found.setdefault(one.proposal, {}).setdefault(one.column, {})[_seed(one)] = one
        metrics = {column.name: column.metric for column in plan.record.columns}
        contenders = [self._contender(number, found[number], done, metrics) for number in sorted(found)]
        return [one for one in contenders if 0 in one.scores], len(found)

    def _contender(
        self,
        number: int,
        replicates: Mapping[str, Mapping[int | None, Replicate]],
        done: Set[str],
        metrics: Mapping[str, str],
    ) -> Contender:
        granted = self._seeds_of(number)
        finished: dict[int, dict[str, _Scored]] = {}
        for seed in range(granted):
            # A replicate without seeds (an untrained target of ``none``) is the same under all of them.
            there = {name: by.get(seed, by.get(None)) for name, by in replicates.items() if name in self.columns}
            scored = {name: one for name, one in there.items() if one is not None and _is_scored(one, done)}
            if len(scored) == len(self.columns):
                finished[seed] = {name: self._score(one, metrics[name]) for name, one in scored.items()}
        return Contender(
            proposal=number,
            granted=granted,
            scores={seed: {name: one.score for name, one in by.items()} for seed, by in finished.items()},
            items={seed: {name: one.items for name, one in by.items()} for seed, by in finished.items()},
        )

    def _score(self, replicate: Replicate, metric_name: str) -> _Scored:
        key = f"{replicate.evaluate_stage} {replicate.replicate_id}"
        if key not in self._scored:
            keys = replicate.outputs[Use.SELECT.value]
            found = Evaluations(store=self.store, stages=[replicate.evaluate_stage])
            scores, items = found.scores(keys), dict[str, ItemScores]()
            for language, summary in ((name, found.summaries.get(output)) for name, output in keys.items()):
                rows = summary.values(metric_named(metric_name).columns) if summary else None
                if summary is not None and rows is not None:
                    single = metric_named(metric_name).example_scores(rows).astype("float32")
                    items[language] = ItemScores(items=str(summary.items), scores=single)
            self._scored[key] = _Scored(score=sum(scores.values()) / len(scores), items=items)
        return self._scored[key]


def row_race(*, row: str, search: Search, columns: Sequence[str], store: ArtifactStore) -> RowRace:
    """The race of a searched row as its study file asks for it."""
    policy = WilcoxonRacing(alpha=search.racing.alpha) if search.racing.policy == "wilcoxon" else NoRacing()
    return RowRace(
        row=row,
        most=search.seeds,
        total=search.proposals,
        columns=tuple(columns),
        policy=policy,
        store=store,
    )


def _seed(replicate: Replicate) -> int | None:
    """Which seed of its proposal: (k, k) is the k-th; ``none`` has the target's only."""
    return replicate.target_seed if replicate.intermediate_seed is None else replicate.intermediate_seed


def _is_scored(replicate: Replicate, done: Set[str]) -> bool:
    return all(key in done for key in replicate.outputs.get(Use.SELECT.value, {}).values())
