"""Task and Dataset: what is learned, and where its examples come from, as declarative values.

Start here to see what one task says of itself; ``registry.py`` holds them by name, ``catalog/`` declares
those that ship with stilts, ``resolve.py`` turns a Dataset into views with a content hash.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from stilts.errors import InputError
from stilts.fingerprint import Json
from stilts.metrics.metric import Metric
from stilts.tasks.kind import TaskKind

ENGLISH = "en"


class Source(StrEnum):
    """Where a dataset's examples come from."""

    HUB = "hub"
    FILES = "files"
    TOY = "toy"


class Part(StrEnum):
    """The share of a split that is meant; shares are drawn by content hash, so they never move.

    ``REST`` and ``TENTH`` divide a split by the hash of each example's content, ``HALF_SELECT`` and
    ``HALF_REPORT`` by the hash of its source item, all translations together (DESIGN rule 6).
    """

    ALL = "all"
    REST = "rest"
    TENTH = "tenth"
    HALF_SELECT = "half_select"
    HALF_REPORT = "half_report"


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitRef:
    """A part of one split of one dataset."""

    dataset: str
    split: str
    part: Part = Part.ALL


@dataclass(frozen=True, slots=True, kw_only=True)
class FilesLayout:
    """How a dataset lies in a folder, in its release's own format.

    ``splits`` maps a split to a path under the root, or to several, in order, separated by ``|``; ``{lang}`` stands for
    the language and ``{code}`` for ``codes[lang]``. ``reader`` names a format of some task kind; ``options``
    are its own. ``root`` is the named root that the paths lie under.
    """

    reader: str
    splits: Mapping[str, str]
    options: Mapping[str, Json] = field(default_factory=dict)
    codes: Mapping[str, str] = field(default_factory=dict)
    root: str = "data"


@dataclass(frozen=True, slots=True, kw_only=True)
class HubLayout:
    """A dataset repository on the hub, as Parquet: no loading scripts.

    ``config`` may hold ``{lang}`` or ``{code}``; ``splits`` maps our split names to the repository's; ``columns``
    maps a field of the example to a column of the Parquet file, ``options`` are the row reader's own.
    """

    repo: str
    splits: Mapping[str, str]
    columns: Mapping[str, str]
    config: str | None = None
    revision: str | None = None
    options: Mapping[str, Json] = field(default_factory=dict)
    codes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ToyLayout:
    """The artificial stand-in of a dataset: which generator makes it, and how many examples a split has."""

    generator: str
    sizes: Mapping[str, int]
    options: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Dataset:
    """Where examples come from: up to three sources, languages per split, licence and domain.

    ``languages`` lists, per split, every language the release has (BCP-47). ``num_train`` is how many labelled examples
    the release's English train has, as its paper or card says: to be read, and part of no identity. A folder may hold
    fewer. ``is_release``: of a release that ships in the catalogue a folder may hold some languages, and those are
    taken that are there; of a dataset that a study declares, every language has to be there.
    """

    name: str
    languages: Mapping[str, tuple[str, ...]]
    files: FilesLayout | None = None
    hub: HubLayout | None = None
    toy: ToyLayout | None = None
    licence: str = "unknown"
    domain: str = "unknown"
    citation: str = ""
    num_train: int | None = None
    is_release: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """What is learned: a kind, its labels, the metric, and the splits that it uses.

    ``train`` is English (a target's training data, or an intermediate's); ``dev`` holds labelled data to
    choose by; ``test`` is evaluated zero-shot in every language. A task without ``test`` can only
    be an intermediate; one without ``train`` is evaluated with the encoder as it is. ``on_overlap`` says
    what to do with examples of ``train`` that also stand in ``dev`` or ``test``, and of ``dev`` in ``test``: refuse the
    study, or leave them out (for releases that are known to overlap). ``group`` is XTREME's. ``trained_as`` names what
    is learned where several tasks learn the same (XQuAD and MLQA both fine-tune on SQuAD): they train once. ``pool``
    holds the candidates of a retrieval whose queries all ask the same ones. The two ``labels`` of a regression are the
    ends of its scale. ``after`` names a task that is learned before this one whenever it is a target (XTREME-R: Social
    IQA, then COPA); it is a stage of its own. ``train_language`` is the language of ``train``, and of what is chosen by
    under ``english_dev``. ``order_decides``: two orders of the same words may have two labels (PAWS).
    """

    name: str
    kind: TaskKind
    metric: str
    labels: tuple[str, ...] = ()
    train: SplitRef | None = None
    dev: SplitRef | None = None
    test: SplitRef | None = None
    pool: SplitRef | None = None
    group: str = ""
    on_overlap: str = "refuse"
    trained_as: str = ""
    after: str = ""
    train_language: str = ENGLISH
    order_decides: bool = False
    description: str = ""

    def __post_init__(self) -> None:
        if self.on_overlap not in ("refuse", "exclude"):
            raise InputError(
                f'task "{self.name}", on_overlap',
                f'"{self.on_overlap}" is neither "refuse" nor "exclude"',
                "It decides what happens to examples that two splits share",
                'Write "refuse" or "exclude"',
            )
        twice = [label for place, label in enumerate(self.labels) if label in self.labels[:place]]
        if twice:
            raise InputError(
                f'task "{self.name}", labels',
                f'"{twice[0]}" is listed twice',
                "Each label is an output of the model",
                "List it once",
            )
        if self.kind.check_labels is not None:
            self.kind.check_labels(self.name, self.labels)
        if self.metric in self.kind.metrics:
            check = self.kind.scoring(self.metric).check_labels
            if check is not None:
                check(self.name, self.labels)

    @property
    def is_trained(self) -> bool:
        """Whether a target of this task has a fine-tuning stage of its own."""
        return self.train is not None

    @property
    def measure(self) -> Metric:
        """The metric; UnknownNameError where it does not score this kind."""
        return self.kind.scoring(self.metric).measure

    @property
    def mines_by_threshold(self) -> bool:
        """Whether its pairs are those above a threshold, which is chosen on ``select`` (BUCC)."""
        return self.kind.scoring(self.metric).mines_by_threshold

    @property
    def learner(self) -> str:
        """The name of what is learned: heads and training stages go by it."""
        return self.trained_as or self.name

    @property
    def may_have_no_answer(self) -> bool:
        """Whether its questions may have no answer: a threshold, chosen on ``select``, then decides when to say so."""
        return self.kind.scoring(self.metric).may_have_no_answer

    def learning_payload(self) -> dict[str, Json]:
        """What of a task decides its training: neither its metric nor what it is evaluated on."""
        return {"learner": self.learner, "kind": self.kind.name, "labels": list(self.labels)}

    def payload(self) -> dict[str, Json]:
        """What of a task decides its scores: its data do so on their own."""
        return {
            "name": self.name,
            "kind": self.kind.name,
            "metric": self.metric,
            "labels": list(self.labels),
        }
