"""ReplicateTable: a study's replicates as a selecting policy knows them, and what they cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass

import numpy as np

from stilts.search.deciding import Expected
from stilts.search.selecting.policy import FloatArray, Question, Trial
from stilts.study.plan import Plan
from stilts.study.record import Replicate
from stilts.study.stage import Stage


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ReplicateTable:
    """Fixed rows, columns that can be chosen by, and the replicate behind every trial.

    A trial's seed is the place of its replicate among those of its cell. ``others`` are the replicates of fixed rows in
    columns that choose nothing.
    """

    rows: tuple[str, ...]
    columns: tuple[str, ...]
    replicates: Mapping[Trial, Replicate]
    others: tuple[Replicate, ...]

    @classmethod
    def of(cls, plan: Plan) -> ReplicateTable:
        """The table of a plan."""
        fixed = {row.name for row in plan.record.rows if not row.searched}
        columns = tuple(column.name for column in plan.record.columns if column.select_languages)
        seeds: dict[tuple[str, str], int] = {}
        replicates, others = {}, []
        for one in plan.replicates:
            if one.row in fixed and one.column in columns:
                seed = seeds.get((one.row, one.column), 0)
                seeds[(one.row, one.column)] = seed + 1
                replicates[Trial(source=one.row, target=one.column, seed=seed)] = one
            elif one.row in fixed:
                others.append(one)
        rows = tuple(row.name for row in plan.record.rows if row.name in fixed)
        return cls(rows=rows, columns=columns, replicates=replicates, others=tuple(others))

    def is_fixed(self, replicate: Replicate) -> bool:
        """Whether the replicate belongs to a fixed row."""
        return replicate.row in self.rows

    def first(self, row: str) -> list[Replicate]:
        """The first replicate of each cell of the row."""
        return [one for trial, one in self.replicates.items() if trial.source == row and trial.seed == 0]

    def riders(self, wanted: Sequence[Replicate]) -> list[Replicate]:
        """Replicates in columns that choose nothing, for recipes that ``wanted`` trains anyway.

        Where such a column trains (a dual encoder), only the first of each row.
        """
        recipes = {one.intermediate_stage for one in wanted}
        found = [one for one in self.others if one.intermediate_stage in recipes]
        firsts: dict[tuple[str, str], Replicate] = {}
        for one in found:
            firsts.setdefault((one.row, one.column), one)
        return [one for one in found if one.target_stage is None or firsts[(one.row, one.column)] is one]

    def question(
        self,
        plan: Plan,
        expected: Expected,
        paid: Set[str] = frozenset(),
        priors: Sequence[FloatArray] = (),
        features: FloatArray | None = None,
    ) -> Question:
        """What the policy is asked; prices are expected seconds of stages.

        ``features`` (rows, columns, k) is what estimates say of the cells, NaN where they do not. ``paid`` are recipes
        whose weights lie in the store: a row costs the share of its seeds' recipes that do not.
        """
        shape = (len(self.rows), len(self.columns))
        seeds = 1 + max((trial.seed for trial in self.replicates), default=0)
        rows, columns = ({name: place for place, name in enumerate(names)} for names in (self.rows, self.columns))
        runs = np.zeros((*shape, seeds), np.bool_)
        cells, recipes = np.zeros(shape), np.zeros(shape[0])
        for trial, one in self.replicates.items():
            s, t = rows[trial.source], columns[trial.target]
            runs[s, t, trial.seed] = True
            if trial.seed == 0:
                stages = (*plan.record.target_stages(one), one.evaluate_stage)
                cells[s, t] = sum(expected(plan.stages[stage]) for stage in stages)
        for row, drawn in self._recipes().items():
            recipes[rows[row]] = sum(expected(plan.stages[one]) for one in drawn if one not in paid) / len(drawn)
        return Question(
            sources=self.rows,
            targets=self.columns,
            cell_price=cells,
            stage_price=recipes,
            seeds=seeds,
            exists=np.asarray(runs.any(axis=2), np.bool_),
            priors=tuple(priors),
            features=features if features is not None and features.shape[2] else None,
            runs=runs,
        )

    def _recipes(self) -> dict[str, list[str]]:
        """Each row's recipes, one per intermediate seed; rows without any are absent."""
        found: dict[str, dict[str, None]] = {}
        for one in self.replicates.values():
            if one.intermediate_stage is not None:
                found.setdefault(one.row, {})[one.intermediate_stage] = None
        return {row: list(stages) for row, stages in found.items()}


def grid_stages(plan: Plan) -> tuple[Stage, ...]:
    """The stages of one seed of every cell of a study's fixed rows."""
    table = ReplicateTable.of(plan)
    firsts = [one for trial, one in table.replicates.items() if trial.seed == 0]
    stages = dict.fromkeys(stage for one in [*firsts, *table.riders(firsts)] for stage in plan.all_of(one))
    return tuple(plan.stages[stage] for stage in stages)
