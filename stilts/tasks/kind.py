"""TaskKind: what tells one kind of task from another, below torch.

One file of ``stilts/tasks/kinds/`` declares each kind that ships. What needs torch (encode, head, loss, predict, show,
export) is its other half: the module that ``learning`` names, for those that ship the file of the same name in
``stilts/kinds/``. ``stilts.tasks.kinds`` finds kinds by name, those of installed packages among them.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from stilts.errors import UnknownNameError
from stilts.metrics.metric import FloatArray, Metric
from stilts.tasks.example import Example
from stilts.tasks.hub_row import HubRow
from stilts.tasks.option import OF_LABELS, Option

# Right answers, predictions and the language -> the statistics of each example, as ``Metric.columns`` names them.
Again: TypeAlias = Callable[[Sequence[str], Sequence[str], str], FloatArray]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scoring:
    """One metric that scores a kind, and what goes with it.

    ``again`` makes the statistics once more from right answers and predictions as they are kept; None where that cannot
    be. ``check_labels`` raises InputError for labels that the metric cannot read, given the task's name and them;
    ``check_example`` says why it cannot score an example, "" where it can. ``hub_name`` is what the hub calls the
    metric, where it has another name. ``is_whole``: an example is right or wrong, nothing between.
    ``mines_by_threshold`` and ``may_have_no_answer``: a threshold, chosen on ``select``, says which pairs are mined
    (BUCC), or when a question is left unanswered (SQuAD 2.0).
    """

    measure: Metric
    again: Again | None = None
    hub_name: str = ""
    check_labels: Callable[[str, tuple[str, ...]], None] | None = None
    check_example: Callable[[Example], str] | None = None
    is_whole: bool = False
    mines_by_threshold: bool = False
    may_have_no_answer: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The fields of a TaskConfig that bear on a kind's weights and on its scores: they are identity.

    The batch (of training) and ``max_length`` always do. Fields that came later are named in a payload only where they
    are not what every stage meant before they were there.
    """

    training: tuple[str, ...] = ()
    scoring: tuple[str, ...] = ()
    later_training: tuple[str, ...] = ()
    later_scoring: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """A release's way of writing examples down, and what its reader makes of them.

    ``reader`` is ``module:function``; ``version`` is raised when it comes to give other examples for the same bytes.
    ``options`` are what it may be told beside ``OF_LABELS``; ``is_shared``: a file may hold several languages, and the
    reader takes the one asked for. ``global_items`` says that equal items of two splits or datasets are the same source
    item (SQuAD's question ids); otherwise an item, a row number say, means something within its split only.
    """

    reader: str
    holds: str
    version: int = 1
    options: tuple[Option, ...] = ()
    is_shared: bool = False
    global_items: bool = False

    @property
    def all_options(self) -> tuple[Option, ...]:
        """Its own options, then what may be said of every format."""
        return (*self.options, *OF_LABELS)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlainUse:
    """How an exported model is loaded and asked, without code of ours.

    ``auto_class`` is transformers' class, ``pipeline`` the hub's name of what it does, ``pipeline_class`` transformers'
    pipeline, "" where it has none for it. ``asking`` are lines of Python that follow ``tokenizer`` and ``model``;
    ``imports`` comes before them, ``remark`` after (``{layer}`` stands for the hidden state that was trained).
    """

    auto_class: str
    pipeline: str
    asking: str
    pipeline_class: str = ""
    imports: str = ""
    remark: str = ""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TaskKind:
    """How a task's examples are read, encoded, learned and scored: one value per kind, the same in every process.

    ``module`` is where it is declared (``__name__``), ``learning`` the module with its other half, ``LEARNING``.
    ``about`` says in a few words what an example is. ``scored_by`` lists the metrics that can score it, ``formats`` the
    releases' formats that hold it, by name. ``hub_row`` makes an example of a table's row. ``check_labels`` raises
    InputError for labels that the kind cannot have; it is given the task's name and them.

    ``labels_in`` gives the labels that an answer, as it is kept, consists of; None where answers are no labels.
    ``in_scheme`` gives, of a metric and a scheme of tags, the metric that reads labels so; None without tags.
    ``has_linear_labels``: there are labels that a linear head reads from single vectors (LogME, H-score).
    ``hub_options`` are what may be said of its rows on the hub, ``hub_version`` is raised when one comes to be read
    otherwise. ``global_hub_items``: items of the hub are the same source item in all datasets, as
    ``Format.global_items``.
    ``self_supervised``: it learns from running text in any language; as a column it only watches the encoder.
    ``learns_to_a_layer``: only the layers up to ``TaskConfig.layer`` are run.
    ``submission`` names the forms of XTREME's files that hold its predictions.
    ``alterable``: its texts may be altered while labels hold (``Example.passages``); ``has_paragraph``: to one of them
    a sentence may be added.
    """

    name: str
    module: str
    learning: str
    about: str
    scored_by: tuple[Scoring, ...]
    hub_row: Callable[[HubRow], Example]
    plain: PlainUse
    formats: Mapping[str, Format] = field(default_factory=dict)
    settings: Settings = Settings()
    check_labels: Callable[[str, tuple[str, ...]], None] | None = None
    labels_in: Callable[[str], Sequence[str]] | None = None
    in_scheme: Callable[[str, str], str] | None = None
    has_linear_labels: bool = False
    hub_options: tuple[Option, ...] = ()
    hub_version: int = 1
    global_hub_items: bool = False
    self_supervised: bool = False
    learns_to_a_layer: bool = False
    submission: frozenset[str] = frozenset()
    alterable: bool = False
    has_paragraph: bool = False

    def __str__(self) -> str:
        return self.name

    def __reduce__(self) -> tuple[Callable[[str, str], TaskKind], tuple[str, str]]:
        return declared_kind, (self.module, self.name)

    @property
    def metrics(self) -> tuple[str, ...]:
        """The names of the metrics that can score it."""
        return tuple(scoring.measure.name for scoring in self.scored_by)

    def scoring(self, metric: str) -> Scoring:
        """How it is scored by the metric of that name; UnknownNameError where it cannot be."""
        for scoring in self.scored_by:
            if scoring.measure.name == metric:
                return scoring
        raise UnknownNameError(f"metric of {self.name}", metric, self.metrics)

    def format(self, reader: str) -> Format:
        """The format of that name; UnknownNameError where it does not hold this kind."""
        if reader not in self.formats:
            raise UnknownNameError(f"reader of {self.name}", reader, self.formats)
        return self.formats[reader]


def declared_kind(module: str, name: str) -> TaskKind:
    """The kind of that name in a module; a stage that was sent to another process has its kinds from here."""
    return kinds_in(module)[name]


def kinds_in(module: str) -> dict[str, TaskKind]:
    """The kinds that a module declares, by name."""
    values = vars(importlib.import_module(module)).values()
    return {value.name: value for value in values if isinstance(value, TaskKind) and value.module == module}
