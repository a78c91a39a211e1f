"""The other studies that a study starts from: by ``start_from`` and ``priors``, read from the store."""

from __future__ import annotations

from stilts.app.filling import load_priors
from stilts.app.places import store_url
from stilts.app.searching import check_searches
from stilts.app.workspace import Workspace
from stilts.errors import StudyError
from stilts.store import find_store
from stilts.study.study import Study


def check_rests_on_nothing(study: Study, url: str) -> None:
    """Raises StudyError where the study starts from another one, and there is no store yet to have it."""
    for place, name in _rests_on(study):
        raise StudyError(
            study.at(place),
            f'the store {url} has no study "{name}": there is no study of that name in a store that is not there yet',
            "What it starts from is read from the store",
            f"Run {name} first, or name the store that has it with --store",
        )


def _rests_on(study: Study) -> list[tuple[str, str]]:
    """The other studies that a study starts from, each with the field that names it."""
    starts = [(row, c.search.start_from) for row, c in study.rows.items() if c.search is not None]
    priors = [name for name in study.file.policy.priors if not name.endswith(".csv")]
    fields = [(f"intermediates.{row}.search.start_from", name) for row, name in starts if name is not None]
    return [*fields, *(("policy.priors", name) for name in priors)]


def rests_well(workspace: Workspace, given: str | None) -> list[str]:
    """What was checked of the studies that this one starts from, or why nothing was; StudyError where one cannot serve.

    Their recipes are held against the search spaces here, so a store is needed: the one given, or the usual one.
    """
    url = store_url(given)
    opened = find_store(url)  # a place that is none is refused, whether anything is asked of it or not
    resting = ", ".join(f"{place} {name}" for place, name in _rests_on(workspace.study))
    if not resting:
        return []
    if opened is None:
        return [f"Not checked: {resting}. There is no store at {url}; --store names the one that has it."]
    check_searches(workspace, opened)
    load_priors(workspace.study, opened)
    return [f"Checked in the store {url}: {resting}."]
