"""Rebuilder: one model's weights, trained again from the study file where the store has them no more."""

from __future__ import annotations

from stilts.app.checks import check_before_running
from stilts.app.places import is_file
from stilts.app.running import RunOptions, make_conductor
from stilts.app.workspace import assemble
from stilts.errors import StudyError
from stilts.store.store import Store
from stilts.study.holding import Holding
from stilts.study.record import StudyRecord
from stilts.study.stage import StageKind
from stilts.study.study import Study


class Rebuilder:
    """Plans a study from its file and trains, of one stage's lineage, what is gone or was never there.

    Equal stages give equal weights: to the bit under equal execution on CPU, else to rounding. StudyError for a study
    that is given by name: a store keeps no data.
    """

    def __init__(self, study: str, store: Store, *, device: str = "cpu") -> None:
        if not is_file(study):
            raise StudyError(
                f"study {study}",
                "it is a name",
                "Training needs the study's data",
                "Give the study's file with --rebuild",
            )
        self._store, self._device = store, device
        self._workspace = assemble(Study.load(study))
        check_before_running(self._workspace)
        self._plan = make_conductor(self._workspace, store, RunOptions(local=True), on_change=lambda: None).plan

    @property
    def record(self) -> StudyRecord:
        """The study as it is planned now, with the proposals that the store knows."""
        return self._plan.record

    def train(self, stage_id: str) -> list[str]:
        """The stages that were trained, parents first, until the weights of ``stage_id`` are in the store."""
        from stilts.execute.run_stage import run_stage

        held = Holding(file=self._workspace.study.file).of_kind(StageKind.TRAIN)
        config = self._workspace.run_config(self._store, held=held, device=self._device)
        missing = self._missing(stage_id)
        for each in missing:
            run_stage(self._plan.stages[each], self._store, config)
        return missing

    def _missing(self, stage_id: str) -> list[str]:
        """The end of the stage's lineage whose weights are not there, parents first."""
        waiting, missing = [stage_id], set()
        while waiting:
            at = waiting.pop()
            rests_on = self._plan.rests_on[at]
            if not self._store.is_done(at) or self._store.gone(at):
                missing.add(at)
                waiting += self._plan.reads[at]
            waiting += rests_on
        return [each for each in self._plan.stages if each in missing]
