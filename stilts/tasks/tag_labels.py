"""Labels of tagged spans: which are tags of a scheme, and the metric that reads them so."""

from __future__ import annotations

from collections.abc import Sequence

from stilts.errors import InputError
from stilts.metrics.schemes import SCHEMES, scheme_named, wrong_labels

_WRITE_TAGS = "Write the labels so, and translate the files' by label_map; for other tags take accuracy or chunk_f1"


def metric_in_scheme(metric_name: str, scheme: str) -> str:
    """The metric that reads spans in a scheme; InputError where it reads none, UnknownNameError for a scheme."""
    found = scheme_named(scheme)
    if metric_name != "span_f1":
        raise InputError(f'scheme "{scheme}"', f"{metric_name} reads no spans", "", "Take the metric span_f1")
    return f"span_f1_{found.name.lower()}"


def are_bio(labels: Sequence[str]) -> bool:
    """Whether all labels are BIO tags."""
    return not wrong_labels(labels, SCHEMES["IOB2"])


def check_bio(task: str, labels: tuple[str, ...]) -> None:
    """Raises InputError for labels that are no BIO tags: their spans would be read wrongly without a word."""
    wrong = wrong_labels(labels, SCHEMES["IOB2"])
    if not wrong:
        return
    others = [name for name, scheme in SCHEMES.items() if not wrong_labels(labels, scheme)]
    fits = f"They fit {' and '.join(others)}: write scheme: {others[0]}" if others else _WRITE_TAGS
    raise InputError(
        f'task "{task}", labels',
        f"{_some(wrong)} {'is' if len(wrong) == 1 else 'are'} not O, B-TYPE or I-TYPE",
        "span_f1 reads BIO tags, in this case of letters; no tag is guessed",
        fits,
    )


def check_scheme(name: str, task: str, labels: tuple[str, ...]) -> None:
    """Raises InputError for labels that are no tags of the scheme of that name, or can make no whole span of it."""
    wrong = wrong_labels(labels, SCHEMES[name])
    if wrong:
        prefixes = ", ".join(f"{prefix}-TYPE" for prefix in SCHEMES[name].prefixes)
        raise InputError(
            f'task "{task}", labels',
            f"{_some(wrong)} {'is' if len(wrong) == 1 else 'are'} no tag of the scheme {name}",
            f"It has O, {prefixes}",
            _WRITE_TAGS,
        )
    marks = SCHEMES[name].prefixes[2:]  # the ends and single words of BIOES and BILOU
    if marks and not any(label[:1] in marks for label in labels):
        told = " or ".join(f"{mark}-" for mark in marks)
        raise InputError(
            f'task "{task}", scheme {name}',
            f"no label begins with {told}",
            "Without them no span is whole; labels with B- and I- alone are BIO, which a task without a scheme has",
            "Take scheme: out, or list the labels of the scheme",
        )


def _some(labels: Sequence[str]) -> str:
    more = f" and {len(labels) - 6} more" if len(labels) > 6 else ""
    return f"{', '.join(labels[:6])}{more}"
