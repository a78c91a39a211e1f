"""PinnedSources: datasets pinned by content, a view for each language of a split; from one source each.

Nothing is read but the bytes that are hashed. What of them is trained on, chosen by and reported, ``resolve.py`` says.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from stilts.errors import UnknownNameError
from stilts.tasks.kind import TaskKind
from stilts.tasks.registry import Registry
from stilts.tasks.sources import (
    ResolveCommit,
    check_distinct,
    files_languages,
    files_view,
    hub_commit,
    hub_languages,
    hub_view,
    toy_languages,
    toy_view,
)
from stilts.tasks.task import Source, SplitRef
from stilts.tasks.view import DataView


class PinnedSources:
    """Pins datasets by content.

    ``roots`` gives the folder of every named root; ``source`` is where datasets come from, ``overrides`` names another
    source for some of them; ``resolve_commit`` asks the hub for a revision's commit.
    """

    def __init__(
        self,
        registry: Registry,
        roots: Mapping[str, Path],
        *,
        source: Source = Source.FILES,
        overrides: Mapping[str, Source] | None = None,
        resolve_commit: ResolveCommit = hub_commit,
    ) -> None:
        self.registry = registry
        self._roots = {name: Path(path) for name, path in roots.items()}
        self._source = source
        self._overrides = dict(overrides or {})
        self._resolve_commit = resolve_commit
        self._commits: dict[tuple[str, str | None], str] = {}

    def source_of(self, dataset: str) -> Source:
        """Where a dataset's examples come from."""
        return self._overrides.get(dataset, self._source)

    def available_languages(self, ref: SplitRef) -> tuple[str, ...]:
        """The languages of a split that its source has, in declared order: for files, those whose files are there."""
        dataset = self.registry.dataset(ref.dataset)
        if ref.split not in dataset.languages:
            raise UnknownNameError("split", ref.split, dataset.languages, where=f'of dataset "{ref.dataset}"')
        source = self.source_of(ref.dataset)
        if source is Source.FILES:
            return files_languages(dataset, ref.split, self._roots)
        if source is Source.HUB:
            return hub_languages(dataset, ref.split)
        return toy_languages(dataset, ref.split) if dataset.toy is not None else ()

    def languages(self, ref: SplitRef) -> tuple[str, ...]:
        """The languages of a split that are meant where none are named: of a release those that are there, else all.

        What a study's own dataset declares is never lost: a language without its file is an error when it is pinned.
        """
        dataset = self.registry.dataset(ref.dataset)
        if dataset.is_release or self.source_of(ref.dataset) is Source.TOY or ref.split not in dataset.languages:
            return self.available_languages(ref)
        return dataset.languages[ref.split]

    def views(
        self,
        ref: SplitRef,
        kind: TaskKind,
        languages: Sequence[str],
        *,
        limit: int | None = None,
        exclude: Sequence[DataView] = (),
    ) -> tuple[DataView, ...]:
        """One pinned view per language, in the order asked for.

        Raises UnknownNameError for a language that the release does not have, DataError for a missing root or file, or
        for one file in two languages, InputError where the hub cannot say which commit is meant.
        """
        found = tuple(
            replace(self._pin(ref, kind, language), limit=limit, exclude=tuple(exclude)) for language in languages
        )
        check_distinct(found)
        return found

    def _pin(self, ref: SplitRef, kind: TaskKind, language: str) -> DataView:
        dataset = self.registry.dataset(ref.dataset)
        source = self.source_of(ref.dataset)
        known = toy_languages(dataset, ref.split) if source is Source.TOY else dataset.languages[ref.split]
        if source is Source.HUB and dataset.is_release:
            known = hub_languages(dataset, ref.split) or known
        if language not in known:
            raise UnknownNameError(
                "language",
                language,
                known,
                where=f'dataset "{dataset.name}", split "{ref.split}", source {source.value}',
            )
        if source is Source.FILES:
            return files_view(dataset, ref, kind, language, self._roots)
        if source is Source.HUB:
            return hub_view(dataset, ref, kind, language, self._commit)
        return toy_view(dataset, ref, kind, language)

    def _commit(self, repo: str, revision: str | None) -> str:
        """The commit, asked once, so that all languages of a study are of one commit."""
        if (repo, revision) not in self._commits:
            self._commits[repo, revision] = self._resolve_commit(repo, revision)
        return self._commits[repo, revision]
