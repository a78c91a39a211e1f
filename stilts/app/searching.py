"""From the ``search`` fields of a study's rows to what asks for their proposals."""

from __future__ import annotations

from stilts.app.workspace import Workspace
from stilts.errors import SelectionError, StudyError
from stilts.ledger.decision import ProposalRecord
from stilts.ledger.decisions import decisions
from stilts.search.confirmation import RowConfirmation
from stilts.search.deciding import LivePolicy
from stilts.search.encoding import distributions
from stilts.search.mirror import mirror_url
from stilts.search.objective import Aim, make_aims
from stilts.search.proposals import ProposalBook
from stilts.search.row_race import RowRace, row_race
from stilts.search.row_search import RowSearch
from stilts.search.samplers import find_sampler
from stilts.search.warm_start import WarmRecipe, check_is_another, warm_recipes
from stilts.store.store import Store
from stilts.study.draws import num_confirming
from stilts.study.record import NONE_ROW
from stilts.study.recording import describe_column
from stilts.study.resolved_study import ResolvedStudy
from stilts.study.search_schema import Search
from stilts.study.search_space import Proposal, lowest
from stilts.study.settings import search_space


def row_searches(workspace: Workspace, store: Store) -> dict[str, RowSearch]:
    """The search of every searched row; StudyErrors, naming the field, for what cannot be searched as it is asked."""
    return {
        row: _row_search(workspace, row, content.search, store)
        for row, content in workspace.study.rows.items()
        if content.search is not None
    }


def row_races(workspace: Workspace, store: Store) -> dict[str, RowRace]:
    """What decides on the seeds of each searched row's proposals, by the targets that its objectives look at."""
    found = {}
    for row, content in workspace.study.rows.items():
        if content.search is not None:
            aims = _aims(workspace, row, content.search)
            columns = list(dict.fromkeys(target for aim in aims for target in aim.targets))
            found[row] = row_race(row=row, search=content.search, columns=columns, store=store)
    return found


def row_confirmations(resolved: ResolvedStudy, store: Store) -> dict[str, RowConfirmation]:
    """What is confirmed of each searched row; a row that wants no confirmation has none."""
    study = resolved.study
    columns = [describe_column(resolved, name) for name in study.columns]
    return {
        row: RowConfirmation(
            row=row,
            objectives=content.search.objectives,
            columns=columns,
            selection=study.file.selection,
            replicates={column: num_confirming(resolved, row, column) for column in study.columns},
            store=store,
        )
        for row, content in study.rows.items()
        if content.search is not None and content.search.confirm
    }


def drawn_proposals(resolved: ResolvedStudy, store: Store | None) -> dict[str, list[Proposal]]:
    """The proposals of every searched row that the store has and the study wants, as the next run would have them."""
    study = resolved.study
    searches = {row: content.search for row, content in study.rows.items() if content.search is not None}
    if store is None:
        return {row: [] for row in searches}
    found: dict[str, list[Proposal]] = {}
    confirmations, decided = row_confirmations(resolved, store), decisions(store, study.name)
    for row, search in searches.items():
        drawn = [one for one in decided if isinstance(one, ProposalRecord) and one.row == row]
        read = [Proposal(number=one.number, params=dict(one.params)) for one in drawn if one.number < search.proposals]
        race = row_race(row=row, search=search, columns=(), store=store)
        policies: list[LivePolicy] = [race, confirmations[row]] if row in confirmations else [race]
        for one in decided:
            for policy in policies:
                policy.took(one)
        found[row] = race.seeded(sorted(read, key=lambda one: one.number))
        if row in confirmations:
            found[row] = confirmations[row].confirmed(found[row])
    return found


def check_searches(workspace: Workspace, store: Store | None = None) -> None:
    """Raises what ``row_searches`` would, before anything is written.

    Without a store all that is known of a warm start is whether it is of the study itself.
    """
    for row, content in workspace.study.rows.items():
        if content.search is not None:
            aims = _aims(workspace, row, content.search)
            _check_sampler(workspace, row, content.search, aims)
            _check_racing(workspace, row, content.search)
            if content.search.start_from is not None:
                with workspace.study.blamed(f"intermediates.{row}.search.start_from"):
                    check_is_another(content.search.start_from, workspace.study.name)
            if store is not None:
                _warm(workspace, row, content.search, aims, store)


def _row_search(workspace: Workspace, row: str, search: Search, store: Store) -> RowSearch:
    study, aims = workspace.study, _aims(workspace, row, search)
    _check_sampler(workspace, row, search, aims)
    book = ProposalBook(
        storage_url=mirror_url(store),
        study_name=study.name,
        row=row,
        space=search_space(search),
        sampler=search.sampler,
        seed=study.file.seed,
        aims=aims,
    )
    warm = _warm(workspace, row, search, aims, store)
    return RowSearch(study=study.name, row=row, total=search.proposals, book=book, store=store, warm=warm)


def _aims(workspace: Workspace, row: str, search: Search) -> tuple[Aim, ...]:
    columns = [describe_column(workspace.resolved, name) for name in workspace.study.columns]
    with workspace.study.blamed(f"intermediates.{row}.search.objective"):
        aims = make_aims(search.objective, columns, workspace.study.file.selection)
        if row == NONE_ROW and any(aim.over_none for aim in aims):
            raise SelectionError(
                f'objective "{aims[0].name}" of row {NONE_ROW}',
                f"it compares with {NONE_ROW} itself",
                "The direct baseline has no gain over itself",
                "Set objective: xtreme_average",
            )
        return aims


def _check_sampler(workspace: Workspace, row: str, search: Search, aims: tuple[Aim, ...]) -> None:
    with workspace.study.blamed(f"intermediates.{row}.search.sampler"):
        find_sampler(search.sampler).check(distributions(search_space(search)))


def _check_racing(workspace: Workspace, row: str, search: Search) -> None:
    if search.racing.policy != "none" and search.seeds == 1:
        raise StudyError(
            workspace.study.at(f"intermediates.{row}.search.racing"),
            "search.seeds is 1",
            "A race grants further seeds, so it would decide nothing",
            "Set search.seeds to the most that a proposal may have, for example seeds: 3, or leave racing out",
        )


def _warm(
    workspace: Workspace, row: str, search: Search, aims: tuple[Aim, ...], store: Store
) -> tuple[WarmRecipe, ...]:
    if search.start_from is None:
        return ()
    own, space = workspace.study.name, search_space(search)
    with workspace.study.blamed(f"intermediates.{row}.search.start_from"):
        return warm_recipes(store, search.start_from, space=space, aims=aims, proposals=search.proposals, own=own)


def trial_proposals(resolved: ResolvedStudy) -> dict[str, list[Proposal]]:
    """A made-up first proposal of every searched row: to look at its data, never run."""
    return {
        row: [Proposal(number=0, params=lowest(search_space(content.search)))]
        for row, content in resolved.study.rows.items()
        if content.search is not None
    }
