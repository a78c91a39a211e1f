"""What of the hub a study needs, and fetching it where there is a network, for nodes that have none."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from stilts.app.hubless import MaybeHub
from stilts.app.workspace import Workspace, assemble
from stilts.errors import InputError
from stilts.study.record import NONE_ROW
from stilts.study.stressed import stressed_items
from stilts.study.study import Study
from stilts.tasks.fetched import DATASET, ENCODER_FILES, MODEL
from stilts.tasks.sources import is_commit
from stilts.tasks.task import Source
from stilts.tasks.view import DataView


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A repository of the hub that a study reads: ``files`` are patterns; ``revision`` None: its main branch.

    ``used_for`` is the encoder, or the names of the datasets.
    """

    kind: str
    repo: str
    revision: str | None
    files: tuple[str, ...]
    used_for: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """A repository that lies on this machine now, and where."""

    wanted: Wanted
    folder: str


def fetch_list(study: str) -> list[Wanted]:
    """Every repository of the hub that the study's stages read, its encoder first; the hub need not be there."""
    return _wanted(assemble(Study.load(study), MaybeHub()))


def fetch(study: str, to: str | None, tell: Callable[[Wanted], None] = lambda wanted: None) -> list[Fetched]:
    """Fetches all that the study reads of the hub into a cache folder (None: the hub's usual one).

    What lies there already is not fetched again, so the same call goes on where one was broken off. InputError where
    the hub does not give a repository.
    """
    from huggingface_hub import snapshot_download

    found: list[Fetched] = []
    for one in fetch_list(study):
        tell(one)
        try:
            folder = snapshot_download(
                one.repo,
                repo_type=one.kind,
                revision=one.revision,
                cache_dir=to,
                allow_patterns=list(one.files),
            )
        except Exception as error:  # the hub's client passes on the errors of whichever HTTP library it was built on
            reason = (str(error).splitlines() or [""])[0][:200]
            raise InputError(
                f"{one.kind} {one.repo} at {one.revision or 'its main branch'}",
                f"it could not be fetched ({type(error).__name__}: {reason})",
                f"{len(found)} repositories are there, and stay",
                "Check the network, and type the same command again: it goes on from there",
            ) from error
        found.append(Fetched(wanted=one, folder=str(folder)))
    return found


def _wanted(workspace: Workspace) -> list[Wanted]:
    encoder = workspace.study.file.encoder
    found = []
    if encoder.hub is not None:
        found.append(
            Wanted(kind=MODEL, repo=encoder.hub, revision=encoder.revision, files=ENCODER_FILES, used_for="the encoder")
        )
    views = {view.digest: view for view in _views(workspace) if view.source is Source.HUB}
    by_repo: dict[tuple[str, str | None], list[DataView]] = {}
    for view in views.values():
        revision = str(view.location["revision"])
        by_repo.setdefault((str(view.location["repo"]), revision if is_commit(revision) else None), []).append(view)
    return found + [_dataset(repo, revision, own) for (repo, revision), own in by_repo.items()]


def _dataset(repo: str, revision: str | None, views: Sequence[DataView]) -> Wanted:
    """A repository's files by the configurations that are read: all of one that has none."""
    configs = sorted({str(view.location["config"] or "") for view in views})
    parts = ["*"] if "" in configs else ["README.md", "*.json", *(f"*{config}*" for config in configs)]
    names = ", ".join(sorted({view.dataset for view in views}))
    return Wanted(kind=DATASET, repo=repo, revision=revision, files=tuple(parts), used_for=names)


def _views(workspace: Workspace) -> Iterator[DataView]:
    """Everything that is read: of rows and columns, and what is left out of it."""
    resolved = workspace.resolved
    for row in workspace.study.rows:
        for part in resolved.parts(row) if row != NONE_ROW else ():
            yield from _with_excluded((*part.train, *part.select))
    for column in workspace.study.columns:
        target = resolved.target(column)
        views = target.views
        yield from _with_excluded((*views.train, *views.select, *views.report, *views.pool, *views.calibration))
        aligned = [item.stress.dictionary for item in stressed_items(resolved, column) if item.stress is not None]
        yield from _with_excluded([view for view in aligned if view is not None])
        if target.before is not None:
            yield from _with_excluded((*target.before.train, *target.before.select))


def _with_excluded(views: Sequence[DataView]) -> Iterator[DataView]:
    for view in views:
        yield view
        yield from _with_excluded(view.exclude)
