"""What XTREME and XTREME-R consist of: tasks, their languages and file formats, and the groups of the averages.

From evaluate.py of google-research/xtreme at commit 838c13b (Hu et al. 2020; Ruder et al. 2021). LAReQA's languages are
those of XQuAD-R, as the official scorer gives none; its retrieval group leaves LAReQA out, and so does ours.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from stilts.errors import UnknownNameError
from stilts.metrics.qa import Flavour


class FileFormat(Enum):
    """How a file holds labels or predictions, and how its name ends."""

    LABELS = ("one label per line", "tsv")
    TAGS = ("one tag per line, a blank line after each sentence", "tsv")
    PAIRS = ("source id TAB target id per line", "tsv")
    CHOICES = ('{"label": number} per line', "jsonl")
    ANSWERS = ("labels in SQuAD's JSON, predictions {question: answer}", "json")
    ENTITIES = ("labels {mention: [entity]}, predictions {mention: [entity, ...]} best first", "json")
    RANKINGS = ("labels {question: [answer, ...]}, predictions the same, best first", "json")

    @property
    def suffix(self) -> str:
        """The ending of the file's name, without a dot."""
        return self.value[1]


@dataclass(frozen=True, slots=True, kw_only=True)
class BenchmarkTask:
    """One task: its folder's name, its format and languages; ``known`` are its labels, empty for any."""

    name: str
    format: FileFormat
    languages: tuple[str, ...]
    known: frozenset[str] = frozenset()
    flavour: Flavour = "squad"


@dataclass(frozen=True, slots=True, kw_only=True)
class Benchmark:
    """Tasks by name, and which of them each group of the averages has. A task may be in two groups (XCOPA)."""

    name: str
    tasks: Mapping[str, BenchmarkTask]
    groups: Mapping[str, tuple[str, ...]]


def benchmark(name: str) -> Benchmark:
    """The benchmark of that name; UnknownNameError for another."""
    if name not in BENCHMARKS:
        raise UnknownNameError("benchmark", name, BENCHMARKS)
    return BENCHMARKS[name]


def _task(
    name: str, form: FileFormat, languages: str, known: str = "", flavour: Flavour = "squad"
) -> tuple[str, BenchmarkTask]:
    codes = tuple(languages.split())
    return name, BenchmarkTask(name=name, format=form, languages=codes, known=frozenset(known.split()), flavour=flavour)


_UPOS = "ADJ ADP ADV AUX CCONJ DET INTJ NOUN NUM PART PRON PROPN PUNCT SCONJ SYM VERB X _"
_BIO = "O B-PER I-PER B-ORG I-ORG B-LOC I-LOC"
_PANX = (
    "ar he vi id jv ms tl eu ml ta te af nl en de el bn hi mr ur fa fr it pt es bg ru ja ka ko th sw yo my zh kk tr "
    "et fi hu"
)
_UDPOS = "af ar bg de el en es et eu fa fi fr he hi hu id it ja kk ko mr nl pt ru ta te th tl tr ur vi yo zh"
_TATOEBA = "ar he vi id jv tl eu ml ta te af nl de el bn hi mr ur fa fr it pt es bg ru ja ka ko th sw zh kk tr et fi hu"
_XQUAD = "en es de el ru tr ar vi th zh hi"

_BOTH = (
    _task(
        "xnli", FileFormat.LABELS, "ar bg de el en es fr hi ru sw th tr ur vi zh", "entailment neutral contradiction"
    ),
    _task("mlqa", FileFormat.ANSWERS, "en es de ar hi vi zh", flavour="mlqa"),
    _task("tydiqa", FileFormat.ANSWERS, "en ar bn fi id ko ru sw te"),
)

XTREME = Benchmark(
    name="xtreme",
    tasks=dict(
        (
            *_BOTH,
            _task("pawsx", FileFormat.LABELS, "de en es fr ja ko zh", "0 1"),
            _task("panx", FileFormat.TAGS, _PANX, _BIO),
            _task("udpos", FileFormat.TAGS, _UDPOS, _UPOS),
            _task("bucc2018", FileFormat.PAIRS, "de fr ru zh"),
            _task("tatoeba", FileFormat.LABELS, _TATOEBA),
            _task("xquad", FileFormat.ANSWERS, _XQUAD),
        )
    ),
    groups={
        "classification": ("pawsx", "xnli"),
        "tagging": ("udpos", "panx"),
        "qa": ("xquad", "mlqa", "tydiqa"),
        "retrieval": ("bucc2018", "tatoeba"),
    },
)

XTREME_R = Benchmark(
    name="xtreme-r",
    tasks=dict(
        (
            *_BOTH,
            _task("panx", FileFormat.TAGS, f"{_PANX} qu pl uk az lt pa gu ro", _BIO),
            _task("udpos", FileFormat.TAGS, f"{_UDPOS} lt pl uk wo ro", _UPOS),
            _task("tatoeba", FileFormat.LABELS, f"{_TATOEBA} az lt pl uk ro"),
            _task("xquad", FileFormat.ANSWERS, f"{_XQUAD} ro"),
            _task("xcopa", FileFormat.CHOICES, "et ht id it qu sw ta th tr vi zh"),
            _task("mewslix", FileFormat.ENTITIES, "ar de en es fa ja pl ro ta tr uk"),
            _task("lareqa", FileFormat.RANKINGS, "ar de el en es hi ru th tr vi zh"),
        )
    ),
    groups={
        "classification": ("xnli", "xcopa"),
        "tagging": ("udpos", "panx"),
        "qa": ("xquad", "mlqa", "tydiqa"),
        "retrieval": ("tatoeba", "mewslix"),
        "multi_choice": ("xcopa",),
    },
)

BENCHMARKS: Mapping[str, Benchmark] = {each.name: each for each in (XTREME, XTREME_R)}
