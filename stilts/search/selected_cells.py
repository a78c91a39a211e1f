"""SelectedCells: a selecting policy at work in a live study. The policy's class is the one that replays judge.

A source is a fixed row, a target a column with selection scores, a trial one replicate. What the policy asked for is
kept in the store (``studies/<study>/decisions/<number>``), each batch with its reason, so a resumed study goes on from
there. Four things are not the policy's: ``none`` gets its first replicates before all else, since every gain is over
it; searched rows run all their proposals; columns that choose nothing (retrieval under ``english_dev``, probes) are
filled for the rows whose recipes are trained anyway; and what other studies have finished is taken as it is, so that
the matrix shows every cell that the policy's choice rests on.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from statistics import fmean
from typing import Literal

import numpy as np

from stilts.fingerprint import Json, plain
from stilts.ledger.decision import CellsDecision, Decision
from stilts.metrics.ranks import spearman
from stilts.search.deciding import Known, Situation
from stilts.search.filling import Prior
from stilts.search.recipe_scores import RecipeScores
from stilts.search.replicate_table import ReplicateTable
from stilts.search.selecting.features import features
from stilts.search.selecting.policy import Budget, FloatArray, Observation, Policy, Question, Suggestion, Trial
from stilts.seeds import derive_seed
from stilts.store.artifact_store import ArtifactStore
from stilts.study.plan import Plan
from stilts.study.record import NONE_ROW, Replicate
from stilts.study.stage import Estimate, Use


@dataclass(kw_only=True)
class SelectedCells:
    """The replicates that a policy asked for so far, and what it asks for next.

    ``priors`` are foreign matrices by name: scores by (row, column). ``policy_name`` and ``seed`` go into the records
    and the policy's random numbers.
    """

    study: str
    policy_name: str
    policy: Policy
    store: ArtifactStore
    seed: int
    priors: Mapping[str, Prior] = field(default_factory=dict)
    _asked: set[str] = field(default_factory=set, init=False)
    _found: set[str] = field(default_factory=set, init=False)
    _numbers: int = field(default=0, init=False)
    _last: CellsDecision | None = field(default=None, init=False)
    _open: bool = field(default=True, init=False)
    _tabled: tuple[Plan, ReplicateTable] | None = field(default=None, init=False)
    _scores: RecipeScores = field(init=False)

    def __post_init__(self) -> None:
        self._scores = RecipeScores(store=self.store)

    def took(self, decision: Decision) -> bool:
        """Goes on from what was asked for."""
        if not isinstance(decision, CellsDecision):
            return False
        self._asked |= set(decision.replicates)
        if decision.found:
            self._found |= set(decision.replicates)
        self._numbers = max(self._numbers, decision.number + 1)  # one may be set aside: none is written over
        self._last = decision
        return decision.what == "cells"

    @property
    def is_open(self) -> bool:
        """Whether the policy may still ask for more."""
        return self._open

    def chosen(self, whole: Plan) -> Plan:
        """What was asked for, searched rows, and columns that choose nothing for the rows that are trained anyway."""
        table = self._table(whole)
        wanted = [one for one in whole.replicates if one.replicate_id in self._asked or not table.is_fixed(one)]
        # What was only found trains nothing here, so nothing rides on it.
        trained = [one for one in wanted if one.replicate_id not in self._found]
        return whole.only(_in_order(whole, [*wanted, *table.riders(trained)]))

    def decide(self, view: Known, situation: Situation) -> list[CellsDecision]:
        """The baseline first, then what the policy suggests, or why it stops; nothing while it waits for scores."""
        table = self._table(view.whole)
        if situation.ends:
            self._open = False
            question, observations = self._question(table, view, situation), self._observations(table, view)
            return self._stop(question, observations, situation.ends, situation)
        baseline = [one for one in table.first(NONE_ROW) if one.replicate_id not in self._asked]
        if baseline:
            return self._cells(baseline, "The direct baseline comes first: every gain is over it.", situation)
        found = self._finished_elsewhere(table, view)
        if found:
            return self._cells(found, "The store has their scores already: they cost nothing.", situation, found=True)
        observations = self._observations(table, view)
        pending = self._pending(table, {one.trial for one in observations})
        if _num_running(view, [table.replicates[trial] for trial in pending]) >= situation.slots:
            return []  # What runs will tell more: a batch asked for now would be asked for blindly.
        question = self._question(table, view, situation)
        suggestion = self._suggestion(question, observations, pending, situation)
        asked = [table.replicates[trial] for trial in suggestion.trials]
        if asked:
            return self._cells(asked, suggestion.reason, situation)
        self._open = bool(pending)
        return [] if pending else self._stop(question, observations, suggestion.reason, situation)

    def _suggestion(
        self, question: Question, observations: Sequence[Observation], pending: Sequence[Trial], situation: Situation
    ) -> Suggestion:
        """The policy's batch. Without a limit the budget is what is left of the whole grid."""
        whole = float((question.cell_price * question.exists).sum() + question.stage_price.sum())
        left = min(situation.left_s, whole * question.seeds)
        rng = np.random.default_rng(derive_seed("select", self.study, self.seed, self._numbers))
        return self.policy.suggest(question, observations, Budget(left=left, pending=tuple(pending)), rng)

    def _question(self, table: ReplicateTable, view: Known, situation: Situation) -> Question:
        priors = [_matrix(prior, table) for prior in self.priors.values()]
        paid = view.done - self.store.gone_keys()
        names, estimated = features(view.whole, self.store, table.rows, table.columns)
        # A probe is a short run of the cell itself: a cheap look, whose scores are of the same kind.
        looks = [place for place, name in enumerate(names) if name == Estimate.PROBE]
        told = [estimated[:, :, place] for place in looks if np.isfinite(estimated[:, :, place]).any()]
        others = np.delete(estimated, looks, axis=2)
        return table.question(view.whole, situation.expected, paid, [*told, *priors], others)

    def _observations(self, table: ReplicateTable, view: Known) -> list[Observation]:
        """Scores of all replicates that the store has, asked for or not, and failures."""
        found = []
        for trial, replicate in table.replicates.items():
            if all(key in view.done for key in replicate.outputs[Use.SELECT.value].values()):
                found.append(Observation(trial=trial, score=fmean(self._scores.over_seeds([replicate]).values())))
            elif any(stage in view.hopeless for stage in view.whole.of(replicate)):
                found.append(Observation(trial=trial, score=None))
        return found

    def _finished_elsewhere(self, table: ReplicateTable, view: Known) -> list[Replicate]:
        """Replicates that nobody asked for and that are done to the last stage, estimates of their recipes included."""
        whole, record = view.whole, view.whole.record
        open_estimates = {one.key.partition("/")[0] for one in record.estimates if one.key not in view.done}
        to_estimate = {parent for stage in open_estimates if (parent := whole.stages[stage].parent) is not None}
        to_estimate |= {parent for stage in set(to_estimate) if (parent := whole.stages[stage].parent) is not None}
        return [
            one
            for one in [*table.replicates.values(), *table.others]
            if one.replicate_id not in self._asked
            and one.intermediate_stage not in to_estimate
            and whole.is_done(one.evaluate_stage, view.done)
        ]

    def _pending(self, table: ReplicateTable, known: set[Trial]) -> list[Trial]:
        asked = [trial for trial, one in table.replicates.items() if one.replicate_id in self._asked]
        return [trial for trial in asked if trial not in known]

    def _cells(
        self, replicates: Iterable[Replicate], reason: str, situation: Situation, *, found: bool = False
    ) -> list[CellsDecision]:
        asked = tuple(one.replicate_id for one in replicates)
        return [self._decision(situation, "cells", reason, replicates=asked, found=found)]

    def _stop(
        self, question: Question, observations: Sequence[Observation], reason: str, situation: Situation
    ) -> list[CellsDecision]:
        """How it ended, unless that was the last thing that it said."""
        choices = tuple(_plain(asdict(choice)) for choice in self.policy.choose(question, observations))
        told = tuple(_prior_json(name, prior, observations) for name, prior in self.priors.items())
        if self._last is not None and (self._last.what, self._last.choices) == ("stop", choices):
            return []
        return [self._decision(situation, "stop", reason, choices=choices, told=told)]

    def _decision(
        self,
        situation: Situation,
        what: Literal["cells", "stop"],
        reason: str,
        *,
        replicates: tuple[str, ...] = (),
        found: bool = False,
        choices: tuple[Mapping[str, Json], ...] = (),
        told: tuple[Mapping[str, Json], ...] = (),
    ) -> CellsDecision:
        return CellsDecision(
            number=self._numbers,
            policy=self.policy_name,
            what=what,
            replicates=replicates,
            reason=reason,
            priors=tuple(self.priors),
            found=found,
            choices=choices,
            told=told,
            spent_s=round(situation.spent_s, 1),
            left_s=None if situation.left_s == float("inf") else round(situation.left_s, 1),
        )

    def _table(self, whole: Plan) -> ReplicateTable:
        if self._tabled is None or self._tabled[0] is not whole:
            self._tabled = (whole, ReplicateTable.of(whole))
        return self._tabled[1]


def _num_running(view: Known, pending: Iterable[Replicate]) -> int:
    """How many stages these replicates wait for: several may wait for one, of their row."""
    whole = view.whole
    lines = [[stage for stage in whole.of(one) if not whole.is_done(stage, view.done)] for one in pending]
    return len({line[0] for line in lines if line})


def _in_order(whole: Plan, replicates: Iterable[Replicate]) -> list[Replicate]:
    wanted = {one.replicate_id for one in replicates}
    return [one for one in whole.replicates if one.replicate_id in wanted]


def _plain(fields: Mapping[str, object]) -> dict[str, Json]:
    return {name: plain(value, name) for name, value in fields.items()}


def _matrix(prior: Prior, table: ReplicateTable) -> FloatArray:
    cells = [[prior.get((row, column), float("nan")) for column in table.columns] for row in table.rows]
    return np.array(cells, np.float64).reshape(len(table.rows), len(table.columns))


def _prior_json(name: str, prior: Prior, observations: Sequence[Observation]) -> dict[str, Json]:
    """How many of the cells that were run a foreign matrix knew, and how alike it ranks them within targets.

    ``rank_correlation`` is the mean over targets of Spearman's, None where no target has three cells in common.
    """
    seen: dict[str, dict[str, list[float]]] = {}
    for one in observations:
        if one.score is not None and (one.trial.source, one.trial.target) in prior:
            seen.setdefault(one.trial.target, {}).setdefault(one.trial.source, []).append(one.score)
    found = []
    for target, rows in seen.items():
        own, foreign = [fmean(scores) for scores in rows.values()], [prior[(row, target)] for row in rows]
        alike = spearman(np.array(own), np.array(foreign))
        if len(rows) >= 3 and alike is not None:
            found.append(alike)
    return {
        "prior": name,
        "cells": sum(len(rows) for rows in seen.values()),
        "rank_correlation": fmean(found) if found else None,
    }
