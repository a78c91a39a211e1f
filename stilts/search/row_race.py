"""RowRace: the seeds of one searched row's proposals, kept in the store, and granted by a racing policy.

Record ``studies/<study>/races/<row>/<proposal>``: how many seeds a proposal has, and the reason of the last decision on
it. Scores are read from the study's published evaluations, so a new process decides as the last one would have.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field, replace

from stilts.ledger.evaluations import Evaluations
from stilts.ledger.records import GRANTS, Grant, number_part
from stilts.metrics.item_scores import ItemScores
from stilts.search.racing import Contender, NoRacing, RacingPolicy, Standing, WilcoxonRacing
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

    study: str
    row: str
    most: int
    total: int
    columns: Sequence[str]
    policy: RacingPolicy
    store: ArtifactStore
    _seeds: dict[int, int] = field(default_factory=dict, init=False)
    _reasons: dict[int, str] = field(default_factory=dict, init=False)
    _scored: dict[str, _Scored] = field(default_factory=dict, init=False)
    _settled: object = field(default=None, init=False)

    def load(self) -> None:
        """Reads the grants that the store has."""
        for grant in GRANTS.all(self.store, self.study, self.row).all_good().values():
            self._seeds[grant.proposal], self._reasons[grant.proposal] = grant.seeds, grant.reason

    def seeded(self, proposals: Sequence[Proposal]) -> list[Proposal]:
        """The proposals with the seeds that they have now."""
        first = self.policy.first(self.most)
        return [replace(one, seeds=min(self.most, self._seeds.get(one.number, first))) for one in proposals]

    def grant(self, plan: Plan, done: Set[str]) -> bool:
        """Whether a proposal was granted a seed; the plan is then to be made again."""
        if self.most == 1 or isinstance(self.policy, NoRacing):
            return False
        contenders, drawn = self._contenders(plan, done)
        looked_at = [(one.proposal, one.granted, len(one.scores)) for one in contenders]
        if looked_at == self._settled or (len(contenders) < 2 and drawn < self.total):
            return False
        self._settled = looked_at
        standings = self.policy.standings(contenders, most=self.most)
        return any([self._keep(standing) for standing in standings])

    def _keep(self, standing: Standing) -> bool:
        """Writes the standing down if it is new; whether it has a seed more."""
        number = standing.proposal
        before = self._seeds.get(number, self.policy.first(self.most))
        if self._reasons.get(number) != standing.reason or before != standing.seeds:
            grant = Grant(
                proposal=number,
                seeds=standing.seeds,
                most=self.most,
                p=standing.p,
                policy=self.policy.label,
                reason=standing.reason,
                time=time.time(),
            )
            GRANTS.write(self.store, grant, self.study, self.row, number_part(number))
            self._seeds[number], self._reasons[number] = standing.seeds, standing.reason
        return standing.seeds > before

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
        granted = min(self.most, self._seeds.get(number, self.policy.first(self.most)))
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


def row_race(*, study: str, row: str, search: Search, columns: Sequence[str], store: ArtifactStore) -> RowRace:
    """The race of a searched row as its study file asks for it."""
    policy = WilcoxonRacing(alpha=search.racing.alpha) if search.racing.policy == "wilcoxon" else NoRacing()
    return RowRace(
        study=study,
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
