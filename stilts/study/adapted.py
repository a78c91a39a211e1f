"""What of a study file's adapters cannot be meant, found from the file alone."""

from __future__ import annotations

from collections.abc import Callable

from stilts.errors import StudyError
from stilts.study.record import NONE_ROW
from stilts.study.schema import Train
from stilts.study.search_schema import ADAPTER, TARGET
from stilts.study.settings import has_adapter, parent_adapter
from stilts.study.study import Study
from stilts.tasks.adapter import ParentAdapter


def check_adapters(study: Study, is_trained: Callable[[str], bool]) -> None:
    """Raises StudyError where a setting of adapters is given, or searched, that nothing would look at.

    ``is_trained`` says of a column whether it trains; it is asked where adapters of targets are searched.
    """
    defaults = study.file.defaults
    trains = {row: content.train for row, content in study.rows.items() if row != NONE_ROW}
    _check_rows(study, trains)
    have = [row for row, train in trains.items() if has_adapter(defaults.intermediate, train)]
    _check_default(study, have)
    for column, content in study.columns.items():
        where = study.at(f"targets.{column}.train.parent_adapter")
        if content.train.parent_adapter is not None and not have:
            raise _means_nothing(where, "no row trains an adapter")
        stacks = parent_adapter(defaults.target, content.train) is ParentAdapter.STACK
        if stacks and not has_adapter(defaults.target, content.train):
            raise StudyError(
                where,
                f"stack, but {column} trains all weights",
                "A stacked adapter stays frozen under the one that is trained on top of it",
                "Give the target an adapter too, or merge",
            )
    _check_searches(study, is_trained)


def _check_rows(study: Study, trains: dict[str, Train]) -> None:
    """Rows start from the encoder, which has no adapter."""
    given = {"defaults.intermediate": study.file.defaults.intermediate}
    given |= {f"intermediates.{row}.train": train for row, train in trains.items()}
    for where, train in given.items():
        if train.parent_adapter is not None:
            raise _means_nothing(study.at(f"{where}.parent_adapter"), "a row starts from the encoder itself")


def _check_default(study: Study, have: list[str]) -> None:
    if study.file.defaults.target.parent_adapter is not None and not have:
        raise _means_nothing(study.at("defaults.target.parent_adapter"), "no row trains an adapter")


def _check_searches(study: Study, is_trained: Callable[[str], bool]) -> None:
    """Searched numbers of an adapter need one: that of the row, or those of all columns that train."""
    defaults = study.file.defaults
    without = [name for name, content in study.columns.items() if not has_adapter(defaults.target, content.train)]
    for row, content in study.rows.items():
        for name in content.search.searched() if content.search is not None else ():
            idle = ""
            if name.startswith(ADAPTER) and not has_adapter(defaults.intermediate, content.train):
                idle = f"{row} trains all weights"
            elif name.startswith(TARGET + ADAPTER) and (full := list(filter(is_trained, without))):
                idle = f"target {full[0]} trains all weights"
            if idle:
                raise StudyError(
                    study.at(f"intermediates.{row}.search.{name}"),
                    f"{idle}, and no adapter",
                    "Proposals that differ in it only would be one recipe",
                    "Add adapter: {rank: 8} to its train, or do not search it",
                )


def _means_nothing(where: str, found: str) -> StudyError:
    return StudyError(
        where,
        f"it is given, but {found}",
        "It says what becomes of the adapter that a row's recipe trained",
        "Leave it out, or give a row an adapter: train: {adapter: {rank: 8}}",
    )
