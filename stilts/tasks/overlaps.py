"""The overlap ledger: which tasks share examples or source text, as the releases say it.

``KNOWN`` holds what is known of two datasets, with its source; ``Ledger`` applies it to an intermediate and a target,
and adds what their declarations show by themselves: the same split, or the same files under two names. Nothing is read
here; ``stilts.data.overlap`` counts what is really shared. Only what a release or its paper states, or what was
counted, is declared: to draw on the same encyclopedia is no overlap.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import product
from typing import TypeAlias

from stilts.tasks.registry import Registry
from stilts.tasks.sources import file_paths
from stilts.tasks.task import Dataset, Kind, Part, Source, SplitRef, Task

SourceOf: TypeAlias = Callable[[str], Source]
_REAL = (Source.FILES, Source.HUB)
_USED = {"train": "the English training data of {}", "dev": "what {} is chosen by", "test": "what {} is evaluated on"}
_DECLARED = "the tasks' declarations"
_DISJOINT = ({Part.REST, Part.TENTH}, {Part.HALF_SELECT, Part.HALF_REPORT})


class Sharing(StrEnum):
    """What two splits share."""

    TRAINING = "English training set"
    EXAMPLES = "examples"
    TRANSLATIONS = "translations"
    SENTENCES = "sentences"
    PARAGRAPHS = "paragraphs"
    QUESTIONS = "questions"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What is known of two splits; each is ``<dataset>/<split>``.

    ``TRAINING`` says that ``other`` has no training data of its own and ``one`` serves: it explains, and shares no
    text. ``source`` is where it stands written; ``sources`` are those of ``one`` for which it holds. Generated data
    share nothing with anything by such an entry.
    """

    one: str
    other: str
    what: Sharing
    why: str
    source: str
    sources: tuple[Source, ...] = _REAL


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


_GLUE = "Wang et al. 2018 (GLUE), arXiv 1804.07461"

_PAWSX = "the release's README; Yang et al. 2019, arXiv 1908.11828"


def _known(one: str, other: str, what: Sharing, why: str, source: str, *sources: Source) -> Entry:
    return Entry(one=one, other=other, what=what, why=why, source=source, sources=sources or _REAL)


KNOWN = (
    _known(
        "multinli/train",
        "xnli/test",
        Sharing.TRAINING,
        "MultiNLI is XNLI's English training set",
        "Conneau et al. 2018, arXiv 1809.05053",
    ),
    _known(
        "squad/train",
        "xquad/test",
        Sharing.TRAINING,
        "SQuAD 1.1 is XQuAD's English training set",
        "Artetxe et al. 2020, arXiv 1910.11856",
    ),
    _known(
        "squad/train",
        "mlqa/test",
        Sharing.TRAINING,
        "SQuAD 1.1 is MLQA's English training set",
        "Lewis et al. 2020, arXiv 1910.07475",
    ),
    _known(
        "squad/dev",
        "xquad/test",
        Sharing.PARAGRAPHS,
        "XQuAD is 240 paragraphs and 1,190 questions of SQuAD's dev set, and their translations",
        "Artetxe et al. 2020, arXiv 1910.11856",
    ),
    _known(
        "copa/train",
        "xcopa/test",
        Sharing.TRAINING,
        "COPA is XCOPA's English training set",
        "Ponti et al. 2020, arXiv 2005.00333",
    ),
    _known(
        "copa/dev",
        "xcopa/dev",
        Sharing.TRANSLATIONS,
        "XCOPA's dev set is COPA's, translated",
        "Ponti et al. 2020, arXiv 2005.00333",
    ),
    _known(
        "copa/test",
        "xcopa/test",
        Sharing.TRANSLATIONS,
        "XCOPA's test set is COPA's, translated",
        "Ponti et al. 2020, arXiv 2005.00333",
    ),
    *(
        _known(
            "squad/train",
            f"mlqa_question_{language}/test",
            Sharing.TRAINING,
            "SQuAD 1.1 is MLQA's English training set",
            "Lewis et al. 2020, arXiv 1910.07475",
        )
        for language in ("ar", "de", "en", "es", "hi", "vi", "zh")
    ),
    *(
        _known(f"qnli/{split}", other, Sharing.QUESTIONS, why, _GLUE)
        for split, other, why in (
            ("train", "squad/train", "QNLI's train pairs are questions and sentences of SQuAD's train set"),
            ("dev", "squad/dev", "QNLI's dev pairs are questions and sentences of SQuAD's dev set"),
            ("dev", "xquad/test", "QNLI's dev pairs are of SQuAD's dev set, 240 paragraphs of which are XQuAD's"),
        )
    ),
    _known(
        "multinli/train",
        "americasnli/test",
        Sharing.TRAINING,
        "MultiNLI is the English training set of AmericasNLI, as of XNLI",
        "Ebrahimi et al. 2022, arXiv 2104.08726",
    ),
    _known(
        "xnli/test",
        "americasnli/test",
        Sharing.TRANSLATIONS,
        "AmericasNLI is translated from XNLI's Spanish",
        "Ebrahimi et al. 2022, arXiv 2104.08726",
    ),
    _known(
        "plain/train",
        "udpos/train",
        Sharing.SENTENCES,
        "the plain text holds sentences of UD's train sets",
        "the text's own list of sources",
        Source.FILES,
    ),
    _known(
        "plain/train",
        "panx/train",
        Sharing.SENTENCES,
        "the plain text holds sentences of WikiANN's train sets",
        "the text's own list of sources",
        Source.FILES,
    ),
    *(
        _known(
            "plain/train",
            f"tydiqa/{split}",
            Sharing.SENTENCES,
            "the plain text of English, Korean and Swahili holds sentences of TyDiQA's train paragraphs",
            "counted: 247 of 1,498 lines in en, 276 of 1,497 in ko, 614 of 1,496 in sw",
            Source.FILES,
        )
        for split in ("train", "heldout")
    ),
    _known(
        "plain/train",
        "panx/train",
        Sharing.SENTENCES,
        "WikiANN's sentences, train and evaluation, are Wikipedia's, and so is the plain text on the hub",
        "Pan et al. 2017",
        Source.HUB,
    ),
    _known(
        "plain/train",
        "panx/test",
        Sharing.SENTENCES,
        "WikiANN's sentences, train and evaluation, are Wikipedia's, and so is the plain text on the hub",
        "Pan et al. 2017",
        Source.HUB,
    ),
    _known(
        "translation/train",
        "tatoeba/test",
        Sharing.TRANSLATIONS,
        "OPUS-100 is drawn from OPUS, of which Tatoeba's sentences and translations are a part",
        "Zhang et al. 2020, arXiv 2004.11867",
        Source.HUB,
    ),
    _known(
        "paws/train",
        "pawsx/train",
        Sharing.EXAMPLES,
        "PAWS-X's English training set is PAWS's pairs of Wikipedia",
        _PAWSX,
    ),
    *(
        _known(
            "paws/dev",
            f"pawsx/{split}",
            Sharing.EXAMPLES,
            "PAWS-X's dev and test sets are both of PAWS's dev set, and its translations",
            _PAWSX,
        )
        for split in ("dev", "test")
    ),
)


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
        # A registry of other tasks has none of them.
        there = {f"{dataset.name}/{split}" for dataset in registry.datasets() for split in dataset.languages}
        self._named = sorted({name for entry in KNOWN for name in (entry.one, entry.other)} & there)

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
            refs = (("test", task.test), ("train", task.train), ("dev", task.dev))
            self._known[task] = tuple(self._use(task, name, ref) for name, ref in refs if ref is not None)
        return self._known[task]

    def _use(self, task: Task, name: str, ref: SplitRef) -> _Use:
        # Training, and choosing a checkpoint of it, is English, but for masked LM.
        is_english = name != "test" and task.kind is not Kind.MASKED_LM
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
    for entry in KNOWN:
        if _applies(entry, mine, theirs, source_of) or _applies(entry, theirs, mine, source_of):
            yield entry.what, f"{does} {entry.what} shared with {used}: {entry.why}", entry.source, entry.why


def _explained(mine: _Use, theirs: _Use) -> Entry | None:
    """What is known of a target that trains on another dataset's data."""
    test = theirs.task.test
    names = (mine.split, "" if test is None else f"{test.dataset}/{test.split}")
    return next((e for e in KNOWN if e.what is Sharing.TRAINING and (e.one, e.other) == names), None)


def _applies(entry: Entry, one: _Use, other: _Use, source_of: SourceOf) -> bool:
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
