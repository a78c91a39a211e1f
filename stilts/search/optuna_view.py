"""OptunaView: the Optuna studies of one row in a storage, as others may look at them.

Nothing is read from here to decide anything: a storage that was deleted, or that disagrees with the store, is
written again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

import optuna
from optuna.storages import BaseStorage, InMemoryStorage, JournalStorage, RDBStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import FrozenTrial, TrialState
from sqlalchemy.exc import SQLAlchemyError

from stilts.errors import StoreError
from stilts.fingerprint import Json

_JOURNAL = "journal:"
_SQLITE_WAIT_S = 60
_Result = TypeVar("_Result")


class OptunaView:
    """One Optuna study per target; ``names`` maps targets to the studies' names. Proposals are found by number."""

    def __init__(self, storage_url: str | None, names: Mapping[str, str]) -> None:
        self._url, self._names = storage_url, dict(names)
        self._storage = self._guard(lambda: _open_storage(storage_url))

    def asked(self, target: str, number: int, trial: FrozenTrial) -> None:
        """Shows a proposal as running."""
        self._guard(lambda: self._add_once(target, number, trial))

    def told(self, target: str, number: int, trial: FrozenTrial) -> None:
        """Shows a proposal as finished, whoever asked for it; a proposal that is finished already stays as it is."""
        self._guard(lambda: self._finish(target, number, trial))

    def reset(self, target: str, trials: Sequence[FrozenTrial]) -> None:
        """Makes the target's Optuna study hold exactly these proposals, recreating it where it holds others."""
        self._guard(lambda: self._reset(target, trials))

    def _study(self, target: str) -> optuna.Study:
        return optuna.create_study(
            storage=self._storage, study_name=self._names[target], direction="maximize", load_if_exists=True
        )

    def _add_once(self, target: str, number: int, trial: FrozenTrial) -> None:
        study = self._study(target)
        if _find(study, number) is None:
            study.add_trial(trial)

    def _finish(self, target: str, number: int, trial: FrozenTrial) -> None:
        study = self._study(target)
        there = _find(study, number)
        if there is None:
            study.add_trial(trial)
        elif there.state.is_finished():
            return
        elif there.params == trial.params:
            value = trial.value if trial.state is TrialState.COMPLETE else None
            study.tell(there.number, value, state=trial.state)
        else:  # another driver recorded its own proposal of that number first, and this one's was never run
            study.tell(there.number, state=TrialState.FAIL)
            study.add_trial(trial)

    def _reset(self, target: str, trials: Sequence[FrozenTrial]) -> None:
        study = self._study(target)
        if sorted(map(_gist, study.get_trials(deepcopy=False))) == sorted(map(_gist, trials)):
            return
        optuna.delete_study(study_name=self._names[target], storage=self._storage)
        self._study(target).add_trials(trials)

    def _guard(self, act: Callable[[], _Result]) -> _Result:
        """Runs a storage operation, and explains its failure."""
        try:
            return act()
        except (optuna.exceptions.OptunaError, SQLAlchemyError, OSError, ImportError, KeyError, ValueError) as error:
            raise StoreError(
                f'Optuna storage "{self._url}"',
                f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else 'no message'}",
                "It only mirrors the store, so nothing is lost with it",
                "Delete it (or move it away) and run the same command again",
            ) from error


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


def _find(study: optuna.Study, number: int) -> FrozenTrial | None:
    found = [trial for trial in study.get_trials(deepcopy=False) if trial.user_attrs.get("stilts_number") == number]
    return found[0] if found else None


def _gist(trial: FrozenTrial) -> tuple[int, str, str, str]:
    """What two trials must share to say the same of one proposal."""
    number: Json = trial.user_attrs.get("stilts_number", -1)
    value = repr(trial.value) if trial.state is TrialState.COMPLETE else ""
    return number if isinstance(number, int) else -1, trial.state.name, repr(sorted(trial.params.items())), value
