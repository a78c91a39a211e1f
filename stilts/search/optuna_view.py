"""OptunaView: the Optuna studies of one row in a storage, as others may look at them.

Nothing is read from here to decide anything: a storage that was deleted, or that disagrees with the store, is
written again, and one that cannot be written is done without, with a word on standard error.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import optuna
from optuna.storages import BaseStorage, InMemoryStorage, JournalStorage, RDBStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import FrozenTrial, TrialState
from sqlalchemy.exc import SQLAlchemyError

from stilts.addresses import without_secrets
from stilts.fingerprint import Json
from stilts.search.draw import NUMBER, Direction
from stilts.shown import remark

_JOURNAL = "journal:"
_SQLITE_WAIT_S = 60
# What comes of a storage that holds what Optuna did not write: its own errors, SQLAlchemy's, and Python's.
UNREADABLE = (
    *(optuna.exceptions.OptunaError, SQLAlchemyError),
    *(LookupError, ValueError, TypeError, AttributeError, AssertionError),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownStudy:
    """An Optuna study by its name in the storage, with the direction of each objective."""

    name: str
    directions: tuple[Direction, ...]


class OptunaView:
    """One Optuna study per aim; ``studies`` maps aims to them. Proposals are found by number."""

    def __init__(self, storage_url: str | None, studies: Mapping[str, ShownStudy]) -> None:
        self._url, self._studies = storage_url, dict(studies)
        self._storage: BaseStorage = InMemoryStorage()
        self._lost = False
        self._guard(self._open)

    def asked(self, aim: str, number: int, trial: FrozenTrial) -> None:
        """Shows a proposal as running."""
        self._guard(lambda: self._add_once(aim, number, trial))

    def told(self, aim: str, number: int, trial: FrozenTrial) -> None:
        """Shows a proposal as finished, whoever asked for it, with what is known of it now."""
        self._guard(lambda: self._finish(aim, number, trial))

    def reset(self, aim: str, trials: Sequence[FrozenTrial]) -> None:
        """Makes the aim's Optuna study hold exactly these proposals, recreating it where it holds others."""
        self._guard(lambda: self._reset(aim, trials))

    def close(self, aim: str) -> None:
        """Shows whatever is running as failed: the run that would have finished it ends."""
        self._guard(lambda: self._close(aim))

    def _open(self) -> None:
        self._storage = _open_storage(self._url)

    def _study(self, aim: str) -> optuna.Study:
        shown = self._studies[aim]
        return optuna.create_study(
            storage=self._storage, study_name=shown.name, directions=shown.directions, load_if_exists=True
        )

    def _add_once(self, aim: str, number: int, trial: FrozenTrial) -> None:
        study = self._study(aim)
        if _find(study, number) is None:
            study.add_trial(trial)

    def _finish(self, aim: str, number: int, trial: FrozenTrial) -> None:
        study = self._study(aim)
        there = _find(study, number)
        if there is None:
            study.add_trial(trial)
        elif _gist(there) == _gist(trial):
            return
        elif there.state.is_finished():  # a later seed changed it, and a finished trial stays as it is told
            others = [other for other in study.get_trials() if other.number != there.number]
            self._recreate(aim, [*others, trial])
        elif there.params == trial.params:
            _tell(study, there, trial)
        else:  # another driver recorded its own proposal of that number first, and this one's was never run
            study.tell(there.number, state=TrialState.FAIL)
            study.add_trial(trial)

    def _reset(self, aim: str, trials: Sequence[FrozenTrial]) -> None:
        if sorted(map(_gist, self._study(aim).get_trials(deepcopy=False))) != sorted(map(_gist, trials)):
            self._recreate(aim, trials)

    def _recreate(self, aim: str, trials: Sequence[FrozenTrial]) -> None:
        optuna.delete_study(study_name=self._studies[aim].name, storage=self._storage)
        self._study(aim).add_trials(trials)

    def _close(self, aim: str) -> None:
        study = self._study(aim)
        for trial in study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
            study.tell(trial.number, state=TrialState.FAIL)

    def _guard(self, act: Callable[[], None]) -> None:
        """Does something with the storage; where that fails, says so once, and goes on without it."""
        if self._lost:
            return
        try:
            act()
        except (*UNREADABLE, OSError, ImportError) as error:
            self._lost = True
            reason = str(error).splitlines()[0] if str(error) else "no message"
            remark(
                f"Optuna's storage {without_secrets(self._url or 'in memory')} cannot be used "
                f"({type(error).__name__}: {reason[:200]}). It only shows what the store has: the study goes on "
                "without it. Move it away, and the next run writes it anew."
            )


def _open_storage(url: str | None) -> BaseStorage:
    if url is None:
        return InMemoryStorage()
    if url.startswith(_JOURNAL):
        path = Path(url.removeprefix(_JOURNAL))
        path.parent.mkdir(parents=True, exist_ok=True)
        return JournalStorage(JournalFileBackend(str(path)))
    if url.startswith("sqlite:///"):
        Path(url.removeprefix("sqlite:///").split("?")[0]).parent.mkdir(parents=True, exist_ok=True)
        return RDBStorage(url, engine_kwargs={"connect_args": {"timeout": _SQLITE_WAIT_S}})
    return RDBStorage(url)


def _tell(study: optuna.Study, there: FrozenTrial, trial: FrozenTrial) -> None:
    """Finishes a running trial as ``trial`` is finished."""
    if trial.state is TrialState.PRUNED:
        for step, score in sorted(trial.intermediate_values.items()):
            optuna.Trial(study, there._trial_id).report(score, step)
    study.tell(there.number, trial.values if trial.state is TrialState.COMPLETE else None, state=trial.state)


def _find(study: optuna.Study, number: int) -> FrozenTrial | None:
    """The trial of a proposal; of several (two drivers drew it) the one that was told last."""
    found = [trial for trial in study.get_trials(deepcopy=False) if trial.user_attrs.get(NUMBER) == number]
    return found[-1] if found else None


def _gist(trial: FrozenTrial) -> tuple[int, str, str, str]:
    """What two trials must share to say the same of one proposal."""
    number: Json = trial.user_attrs.get(NUMBER, -1)
    value = (
        repr(trial.values) if trial.state is TrialState.COMPLETE else repr(sorted(trial.intermediate_values.items()))
    )
    return number if isinstance(number, int) else -1, trial.state.name, repr(sorted(trial.params.items())), value
