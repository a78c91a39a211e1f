"""The overlap ledger: which tasks share examples or source text, as the releases say it.

``overlaps.yaml`` holds what is known of two datasets, with its source; ``Ledger`` here applies it to an
intermediate and a target, and adds what their declarations show by themselves: the same split, or the same files under
two names. Nothing is read here; ``stilts.data.overlap`` counts what is really shared. To draw on the same encyclopedia
is no overlap.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import TypeAlias

from stilts.tasks.overlap_entries import OverlapEntry, Sharing, known_overlaps
from stilts.tasks.registry import Registry
from stilts.tasks.sources import file_paths
from stilts.tasks.task import Dataset, Part, Source, SplitRef, Task

SourceOf: TypeAlias = Callable[[str], Source]
_USED = {"train": "the English training data of {}", "dev": "what {} is chosen by", "test": "what {} is evaluated on"}
_DECLARED = "the tasks' declarations"
_DISJOINT = ({Part.REST, Part.TENTH}, {Part.HALF_SELECT, Part.HALF_REPORT})


@dataclass(frozen=True, slots=True, kw_only=True)
class Overlap:
    """One thing that an intermediate and a target share.

    ``use`` is what the intermediate does with it (train, or dev: a checkpoint is chosen by it), ``target_use`` what
    the target does (train, dev, test). ``why`` is a clause that names both, without a full stop; ``source``
    is where it stands written. ``known`` is what the ledger knows of the datasets, empty where the declarations say it.
    """

    intermediate: str
    target: str
    use: str
    target_use: str
    what: Sharing
    why: str
    source: str
    known: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Use:
    """One use that a task makes of data, with the names of what it reads.

    ``splits`` are its own and those of the ledger that lie in the same files, so that what is known of UD's parts of
    speech is known of UD's features too.
    """

    task: Task
    name: str
    ref: SplitRef
    origins: frozenset[str]
    splits: frozenset[str]

    @property
    def split(self) -> str:
        return f"{self.ref.dataset}/{self.ref.split}"


class Ledger:
    """What the tasks of a registry share; ``source_of`` gives a dataset's source, on which depends what it holds."""

    def __init__(self, registry: Registry, source_of: SourceOf = lambda _: Source.FILES) -> None:
        self._registry = registry
        self._source_of = source_of
        self._known: dict[Task, tuple[_Use, ...]] = {}
        self._read: dict[tuple[str, bool], frozenset[str]] = {}
        named = {name for entry in known_overlaps() for name in (entry.one, entry.other)}
        self._named = sorted(filter(registry.has_split, named))  # a registry of other tasks has none of them

    def shared(self, intermediate: Task, target: Task) -> tuple[Overlap, ...]:
        """What the two share, the target's evaluation data first; each reason once, under the gravest use."""
        return _shared(self._uses(intermediate), self._uses(target), self._source_of)

    def pairs(self) -> tuple[Overlap, ...]:
        """What every intermediate shares with every target, itself included where it is one, in order of names."""
        rows = [task for task in self._registry.tasks() if task.train is not None]
        columns = [task for task in self._registry.tasks() if task.test is not None]
        return tuple(overlap for row, column in product(rows, columns) for overlap in self.shared(row, column))

    def _uses(self, task: Task) -> tuple[_Use, ...]:
        if task not in self._known:
            refs: tuple[tuple[str, SplitRef | None], ...] = (
                ("test", task.test),
                ("train", task.train),
                ("dev", task.dev),
            )
            if task.after:  # what a target learns first is training data of its as well
                refs = (*refs, ("train", self._registry.task(task.after).train))
            self._known[task] = tuple(self._use(task, name, ref) for name, ref in refs if ref is not None)
        return self._known[task]

    def _use(self, task: Task, name: str, ref: SplitRef) -> _Use:
        # Training, and choosing a checkpoint of it, is English, but for running text.
        is_english = name != "test" and not task.kind.self_supervised
        read = self._origins(f"{ref.dataset}/{ref.split}", is_english=is_english)
        same = (split for split in self._named if read & self._origins(split, is_english=False))
        return _Use(
            task=task, name=name, ref=ref, origins=read, splits=frozenset({f"{ref.dataset}/{ref.split}", *same})
        )

    def _origins(self, split: str, *, is_english: bool) -> frozenset[str]:
        if (split, is_english) not in self._read:
            name, _, part = split.partition("/")
            dataset, source = self._registry.dataset(name), self._source_of(name)
            self._read[split, is_english] = _origins(dataset, part, source, is_english=is_english)
        return self._read[split, is_english]


def _shared(intermediate: Sequence[_Use], target: Sequence[_Use], source_of: SourceOf) -> tuple[Overlap, ...]:
    found: dict[tuple[str, ...], Overlap] = {}
    for mine, theirs in product(intermediate, target):
        # An intermediate is evaluated on nothing; choosing it by what a target trains on takes nothing from its scores.
        if mine.name == "train" or (mine.name, theirs.name) == ("dev", "test"):
            for what, why, source, known in _reasons(mine, theirs, source_of):
                overlap = Overlap(
                    intermediate=mine.task.name,
                    target=theirs.task.name,
                    use=mine.name,
                    target_use=theirs.name,
                    what=what,
                    why=why,
                    source=source,
                    known=known,
                )
                found.setdefault((what, source, known, mine.ref.dataset, theirs.split), overlap)
    return tuple(found.values())


def _reasons(mine: _Use, theirs: _Use, source_of: SourceOf) -> Iterator[tuple[Sharing, str, str, str]]:
    """(what, why, source, what is known) for two uses; a split or file that both use explains all: it stands alone."""
    does = f"{mine.task.name} {'trains on' if mine.name == 'train' else 'is chosen by'}"
    used = _USED[theirs.name].format(theirs.task.name)
    if mine.split == theirs.split:
        if {mine.ref.part, theirs.ref.part} not in _DISJOINT:
            entry = _explained(mine, theirs)
            source, known = (entry.source, entry.why) if entry else (_DECLARED, "")
            yield Sharing.EXAMPLES, f"{does} {used} ({mine.ref.dataset})", source, known
        return
    if mine.origins & theirs.origins:
        # The same sentences under other labels (UD's features and its parts of speech), or one release within another.
        what = Sharing.EXAMPLES if mine.task.kind is theirs.task.kind else Sharing.SENTENCES
        yield what, f"{does} files of {used} ({theirs.ref.dataset})", _DECLARED, ""
        return
    for entry in known_overlaps():
        if _applies(entry, mine, theirs, source_of) or _applies(entry, theirs, mine, source_of):
            yield entry.what, f"{does} {entry.what} shared with {used}: {entry.why}", entry.source, entry.why


def _explained(mine: _Use, theirs: _Use) -> OverlapEntry | None:
    """What is known of a target that trains on another dataset's data."""
    test = theirs.task.test
    names = (mine.split, "" if test is None else f"{test.dataset}/{test.split}")
    return next((e for e in known_overlaps() if e.what is Sharing.TRAINING and (e.one, e.other) == names), None)


def _applies(entry: OverlapEntry, one: _Use, other: _Use, source_of: SourceOf) -> bool:
    if entry.what is Sharing.TRAINING or entry.one not in one.splits or entry.other not in other.splits:
        return False
    return source_of(one.ref.dataset) in entry.sources and source_of(other.ref.dataset) is not Source.TOY


def _origins(dataset: Dataset, split: str, source: Source, *, is_english: bool) -> frozenset[str]:
    """What a split holds, by name: paths below a root, or parts of a repository. Empty for generated data."""
    languages = [code for code in dataset.languages[split] if code == "en" or not is_english]
    if source is Source.FILES:
        return frozenset(name for code in languages for name in _files(dataset, split, code))
    return frozenset(name for code in languages for name in _repository(dataset, split, code, source))


def _files(dataset: Dataset, split: str, language: str) -> list[str]:
    layout = dataset.files
    if layout is None or split not in layout.splits:
        return []
    return [f"{layout.root}/{path}" for path in file_paths(dataset, layout, split, language)]


def _repository(dataset: Dataset, split: str, language: str, source: Source) -> list[str]:
    layout = dataset.hub
    if source is not Source.HUB or layout is None or split not in layout.splits:
        return []
    code = layout.codes.get(language, language)
    # A repository may hold all languages in one table, of which an option keeps one.
    config = (layout.config or "") + str(layout.options.get("keep_items_with", ""))
    config = config.replace("{lang}", language).replace("{code}", code)
    return [f"{layout.repo}/{config}/{part}" for part in layout.splits[split].split("+")]
