"""Schemes of tags for spans: which words a span has, by prefixes before its type (``B-PER``), and rows of their F1.

Read strictly, as seqeval 1.2.2 reads each scheme (checked against it in the tests): what is no whole span of the scheme
is none. ``spans.py`` reads BIO leniently, as conlleval does; that is what a tagging task without a scheme has.
IOB1: Ramshaw and Marcus 1995 (cmp-lg/9505040); the others by their prefixes: Inside, Outside, Begin, End, Single,
Last, Unit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from stilts.errors import UnknownNameError
from stilts.metrics.metric import FloatArray
from stilts.metrics.spans import Span
from stilts.metrics.tagging import check_sentences

OUTSIDE = "O"
_ANY, _SAME, _OTHER = "", "=", "!"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scheme:
    """A scheme: its prefixes but ``O``, and between which neighbours a span begins, goes on and ends.

    A pattern is the prefix before, the prefix after, and ``=`` or ``!`` where their types must agree or differ; ``*``
    is any prefix.
    """

    name: str
    prefixes: str
    begins: tuple[str, ...]
    goes_on: tuple[str, ...]
    ends: tuple[str, ...]


def _by_marks(name: str, end: str, single: str) -> Scheme:
    """A scheme in which first, last and single words all have their own prefix."""
    return Scheme(
        name=name,
        prefixes=f"BI{end}{single}",
        begins=("*B", f"*{single}"),
        goes_on=("BI=", f"B{end}=", "II=", f"I{end}="),
        ends=(f"{end}*", f"{single}*"),
    )


SCHEMES: Mapping[str, Scheme] = MappingProxyType(
    {
        scheme.name: scheme
        for scheme in (
            Scheme(
                name="IOB1",
                prefixes="IB",
                begins=("OI", "II!", "BI", "IB=", "BB="),
                goes_on=("BI=", "II="),
                ends=("II!", "IO", "IB", "BO", "BI!", "BB="),
            ),
            Scheme(
                name="IOB2",
                prefixes="IB",
                begins=("*B",),
                goes_on=("BI=", "II="),
                ends=("IO", "II!", "IB", "BO", "BI!", "BB"),
            ),
            Scheme(
                name="IOE1",
                prefixes="IE",
                begins=("OI", "II!", "EI", "EE="),
                goes_on=("II=", "IE="),
                ends=("II!", "IO", "IE!", "EI=", "EE="),
            ),
            Scheme(
                name="IOE2",
                prefixes="IE",
                begins=("OI", "OE", "EI", "EE", "II!", "IE!"),
                goes_on=("IE=", "II="),
                ends=("EO", "EI", "EE"),
            ),
            _by_marks("BIOES", "E", "S"),
            _by_marks("BILOU", "L", "U"),
        )
    }
)
# Other names of the same schemes, as seqeval and the field have them.
_ALSO = {"BIO": "IOB2", "IOBES": "BIOES", "BIOLU": "BILOU"}
SCHEME_NAMES = (*SCHEMES, *_ALSO)


def scheme_named(name: str) -> Scheme:
    """The scheme of that name, in any case of letters; UnknownNameError, with the known ones, if there is none."""
    upper = name.upper()
    found = SCHEMES.get(_ALSO.get(upper, upper))
    if found is None:
        raise UnknownNameError("scheme of tags", name, SCHEMES)
    return found


def spans_of(tags: Sequence[str], scheme: Scheme) -> frozenset[Span]:
    """The spans (type, first word, last word) of one sentence, read strictly."""
    found: set[Span] = set()
    marks = [_mark(tag) for tag in (*tags, OUTSIDE)]
    before, place = (OUTSIDE, ""), 0
    while place < len(tags):
        start = place
        place += 1
        if not _fits(before, marks[start], scheme.begins):
            before = marks[start]
            continue
        while _fits(marks[place - 1], marks[place], scheme.goes_on):
            place += 1
        if _fits(marks[place - 1], marks[place], scheme.ends):
            found.add((marks[start][1], start, place - 1))
        before = marks[place - 1]
    return frozenset(found)


def scheme_rows(scheme: Scheme, gold: Sequence[Sequence[str]], predicted: Sequence[Sequence[str]]) -> FloatArray:
    """Columns (tp, predicted, gold), counts of spans in each sentence, shape (sentences, 3); as ``entity_rows``."""
    check_sentences("span F1", gold, predicted)
    rows = []
    for gold_tags, tags in zip(gold, predicted, strict=True):
        wanted, found = spans_of(gold_tags, scheme), spans_of(tags, scheme)
        rows.append((len(wanted & found), len(found), len(wanted)))
    return np.array(rows, np.float64).reshape(-1, 3)


def wrong_labels(labels: Sequence[str], scheme: Scheme) -> list[str]:
    """The labels that the scheme does not have: neither ``O`` nor one of its prefixes with a type."""
    return [label for label in labels if label != OUTSIDE and not _is_of(label, scheme)]


def rewritten(tags: Sequence[str], scheme: Scheme, labels: Sequence[str] | None) -> list[str]:
    """The tags of a scheme as BIO, B- at the beginning of every span; as they are where the labels are of the scheme.

    Labels that BIO has too (IOB1's) are BIO's. A tag that is part of no whole span of the scheme becomes ``O``.
    """
    if labels is not None and wrong_labels(labels, SCHEMES["IOB2"]) and not wrong_labels(labels, scheme):
        return list(tags)
    if scheme.name == "IOB1":  # a B- where no name came before is one all the same
        return _begun(tags)
    written = [OUTSIDE] * len(tags)
    for kind, first, last in spans_of(tags, scheme):
        written[first : last + 1] = [f"B-{kind}", *[f"I-{kind}"] * (last - first)]
    return written


def _begun(tags: Sequence[str]) -> list[str]:
    before = [OUTSIDE, *tags[:-1]]
    return [
        f"B-{tag[2:]}" if tag.startswith("I-") and previous[1:] != tag[1:] else tag
        for previous, tag in zip(before, tags, strict=True)
    ]


def _mark(tag: str) -> tuple[str, str]:
    """Prefix and type; a tag that is not of the form ``X-type`` is outside."""
    prefix, dash, kind = tag.partition("-")
    return (prefix, kind) if dash and kind else (OUTSIDE, "")


def _is_of(label: str, scheme: Scheme) -> bool:
    prefix, kind = _mark(label)
    return len(prefix) == 1 and prefix in scheme.prefixes and bool(kind)


def _fits(one: tuple[str, str], other: tuple[str, str], patterns: Sequence[str]) -> bool:
    same = one[1] == other[1]
    return any(
        pattern[0] in ("*", one[0])
        and pattern[1] in ("*", other[0])
        and pattern[2:] in (_ANY, _SAME if same else _OTHER)
        for pattern in patterns
    )
