"""Warm start: the best recipes of an earlier study in the same store, to be proposed first.

The earlier study is read from its record and its selection scores alone. Recipes are compared only with each other,
within that study; nothing of their scores enters this study: they are trained and scored in it like any proposal,
and what the two studies share is done already.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, zip_longest

from stilts.errors import InputError, StudyError
from stilts.fingerprint import Json, canonical_json
from stilts.ledger.records import PROPOSALS
from stilts.ledger.study_record import read_study, study_names
from stilts.search.encoding import decode, encode
from stilts.search.objective import Aim
from stilts.search.recipe_scores import RecipeScores, baseline_scores, is_scored, replicates_of
from stilts.store.artifact_store import ArtifactStore
from stilts.study.record import NONE_ROW, StudyRecord
from stilts.study.search_space import SearchSpace

# Of a row's proposals: the rest is the sampler's, or the search would never leave what is known.
_MOST_FRAC = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class WarmRecipe:
    """A recipe of an earlier study: its parameters, ``<study>/<row>/<number>``, and why it is proposed."""

    params: Mapping[str, Json]
    origin: str
    reason: str


def warm_recipes(
    store: ArtifactStore, study: str, *, space: SearchSpace, aims: Sequence[Aim], proposals: int, own: str
) -> tuple[WarmRecipe, ...]:
    """The earlier study's best recipes that are of this space, distinct, best first: a third of ``proposals`` at most.

    With several aims each names its best in turn. StudyError where the store has no such study, where it is ``own``,
    or where none of its recipes fits.
    """
    record = _record_of(store, study, own)
    if proposals < _MOST_FRAC:
        raise _unfit(study, f"a third of {proposals} proposals is none", "Give the row at least 3 proposals")
    fitting = _fitting(store, record, space)
    if not fitting:
        raise _unfit(
            study,
            "it has no searched recipe whose parameters are of this row's search space",
            "Search the same things within ranges that hold its recipes, or leave start_from out",
        )
    by_aim = [_ranked(store, record, aim, fitting) for aim in aims]
    in_turn = [recipe for recipe in chain.from_iterable(zip_longest(*by_aim)) if recipe is not None]
    if not in_turn:
        raise _unfit(
            study,
            "none of its recipes that fit has a selection score on a target of this search",
            f"Finish it first: stilts run {study}, or leave start_from out",
        )
    distinct = {canonical_json(recipe.params): recipe for recipe in reversed(in_turn)}
    ordered = dict.fromkeys(canonical_json(recipe.params) for recipe in in_turn)
    return tuple(distinct[key] for key in ordered)[: proposals // _MOST_FRAC]


def check_is_another(study: str, own: str) -> None:
    """Raises StudyError where a study would start from itself; no store is needed to know it."""
    if study == own:
        raise _unfit(study, "it is this study itself", "Name an earlier study of the store")


def _record_of(store: ArtifactStore, study: str, own: str) -> StudyRecord:
    check_is_another(study, own)
    record = read_study(store, study)
    if record is None:
        known = [name for name in study_names(store) if name != own]
        raise StudyError(
            f'start_from "{study}"',
            f"the store {store.url} has no study of that name",
            f"Studies in it: {', '.join(known) or 'none'}",
            "Name one of them, run it first, or leave start_from out",
        )
    return record


def _fitting(store: ArtifactStore, record: StudyRecord, space: SearchSpace) -> dict[tuple[str, int], dict[str, Json]]:
    """Parameters of the searched recipes, by row and number, that this space would write in the same way."""
    found = {}
    for row in (row.name for row in record.rows if row.searched):
        for proposal in PROPOSALS.all(store, record.name, row).values.values():
            if _is_of_space(space, proposal.params):
                found[row, proposal.number] = dict(proposal.params)
    return dict(sorted(found.items()))


def _is_of_space(space: SearchSpace, params: Mapping[str, Json]) -> bool:
    try:
        return canonical_json(decode(space, encode(space, params))) == canonical_json(dict(params))
    except InputError:
        return False


def _ranked(
    store: ArtifactStore, record: StudyRecord, aim: Aim, fitting: Mapping[tuple[str, int], dict[str, Json]]
) -> list[WarmRecipe]:
    """The recipes with values by the aim, over those of its targets that the earlier study scored for all of them."""
    done, scores = store.done(), RecipeScores(store=store)
    choosing = {column.name: set(column.select_languages) for column in record.columns if column.select_languages}
    none = baseline_scores(replicates_of(NONE_ROW, record.replicates), choosing, done, scores)
    here = set(none) if aim.over_none else set(choosing)
    aim = aim.within(here)
    if not aim.objectives:
        return []
    rows = {row: replicates_of(row, record.replicates) for row in dict.fromkeys(row for row, _ in fitting)}
    values: dict[tuple[str, int], tuple[float, ...]] = {}
    for row, number in fitting:
        groups = {target: [r for r in rows[row].of(number, target) if is_scored(r, done)] for target in aim.targets}
        if all(groups.values()):
            found = aim.values({target: scores.over_seeds(group) for target, group in groups.items()}, none)
            if found is not None:
                values[row, number] = found
    ranks = dict(zip(values, aim.ranks(list(values.values())), strict=True))
    ordered = sorted(values, key=lambda of: (ranks[of], *aim.losses(values[of]), of))
    return [_recipe(record.name, of, fitting[of], aim, values[of], place) for place, of in enumerate(ordered, start=1)]


def _recipe(
    study: str,
    of: tuple[str, int],
    params: Mapping[str, Json],
    aim: Aim,
    values: tuple[float, ...],
    place: int,
) -> WarmRecipe:
    shown = ", ".join(f"{value:.2f} by {each.name}" for each, value in zip(aim.objectives, values, strict=True))
    return WarmRecipe(
        params=params,
        origin=f"{study}/{of[0]}/{of[1]}",
        reason=f"Warm start from study {study}: its row {of[0]}, proposal {of[1]}, place {place} there ({shown}).",
    )


def _unfit(study: str, found: str, next_step: str) -> StudyError:
    return StudyError(f'start_from "{study}"', found, "A warm start proposes its best recipes again, here", next_step)
