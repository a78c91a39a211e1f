"""Every scheme of tags is read as seqeval reads it, strictly; files may be written in another than the task's."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
import seqeval.scheme
from hypothesis import given
from hypothesis import strategies as st
from seqeval.metrics import f1_score

from stilts.errors import UnknownNameError
from stilts.metrics.metric import SPAN_SCHEMES, metric
from stilts.metrics.schemes import SCHEMES, rewritten, scheme_named, scheme_rows, spans_of, wrong_labels

THEIRS = {
    name: getattr(seqeval.scheme, {"BIOES": "IOBES"}.get(name, name))
    for name in ("IOB1", "IOB2", "IOE1", "IOE2", "BIOES", "BILOU")
}


def tags_of(name: str) -> st.SearchStrategy[list[str]]:
    """Sentences in any tags of a scheme, whole spans or not."""
    known = ["O", *(f"{prefix}-{kind}" for prefix in SCHEMES[name].prefixes for kind in ("PER", "LOC"))]
    return st.lists(st.sampled_from(known), min_size=1, max_size=7)


def theirs(tags: Sequence[str], name: str) -> set[tuple[str, int, int]]:
    """What seqeval finds."""
    return {(one.tag, one.start, one.end - 1) for one in seqeval.scheme.Tokens(list(tags), THEIRS[name]).entities}


@pytest.mark.parametrize("name", THEIRS)
@given(data=st.data())
def test_spans_are_seqevals(name: str, data: st.DataObject) -> None:
    tags = data.draw(tags_of(name))
    assert spans_of(tags, SCHEMES[name]) == theirs(tags, name)


@pytest.mark.parametrize("name", THEIRS)
@given(data=st.data())
def test_f1_is_seqevals_in_strict_mode(name: str, data: st.DataObject) -> None:
    gold = data.draw(tags_of(name))
    said = [data.draw(st.sampled_from([tag, "O"])) for tag in gold]
    rows = scheme_rows(SCHEMES[name], [gold], [said])
    measure = metric(f"span_f1_{name.lower()}")
    sums = dict(zip(measure.columns, map(float, rows.sum(axis=0)), strict=True))
    expected = f1_score([gold], [said], mode="strict", scheme=THEIRS[name], zero_division=0)
    assert measure.score(sums) == pytest.approx(100 * expected)


def test_single_words_are_spans_of_their_own() -> None:
    rows = scheme_rows(SCHEMES["BIOES"], [["S-LOC", "S-LOC", "O"]], [["S-LOC", "B-LOC", "O"]])
    assert rows.tolist() == [[1.0, 1.0, 2.0]]
    assert spans_of(["B-PER", "E-PER", "S-LOC"], SCHEMES["BIOES"]) == {("PER", 0, 1), ("LOC", 2, 2)}


@pytest.mark.parametrize(
    ("name", "tags", "expected"),
    [
        ("IOB1", ["I-PER", "I-PER", "B-PER", "O"], ["B-PER", "I-PER", "B-PER", "O"]),
        ("BIOES", ["B-PER", "E-PER", "S-LOC", "O"], ["B-PER", "I-PER", "B-LOC", "O"]),
        ("BILOU", ["B-PER", "I-PER", "L-PER", "U-LOC"], ["B-PER", "I-PER", "I-PER", "B-LOC"]),
        ("IOE2", ["I-PER", "E-PER", "E-PER"], ["B-PER", "I-PER", "B-PER"]),
        ("IOE1", ["I-PER", "E-PER", "I-PER"], ["B-PER", "I-PER", "B-PER"]),
    ],
)
def test_files_are_rewritten_as_bio_where_the_labels_are(name: str, tags: list[str], expected: list[str]) -> None:
    labels = ("O", "B-PER", "I-PER", "B-LOC", "I-LOC")
    assert rewritten(tags, SCHEMES[name], labels) == expected
    own = ("O", *(f"{prefix}-{kind}" for prefix in SCHEMES[name].prefixes for kind in ("PER", "LOC")))
    assert rewritten(tags, SCHEMES[name], own) == (expected if name == "IOB1" else tags)


def test_a_tag_of_no_whole_span_is_outside() -> None:
    """A reader names it, with its line."""
    assert rewritten(["O", "I-PER", "O"], SCHEMES["BIOES"], ("O", "B-PER", "I-PER")) == ["O", "O", "O"]


@pytest.mark.parametrize(
    ("name", "found"), [("bioes", "BIOES"), ("IOBES", "BIOES"), ("bio", "IOB2"), ("Bilou", "BILOU")]
)
def test_schemes_are_named_in_any_case_and_by_their_other_names(name: str, found: str) -> None:
    assert scheme_named(name).name == found


def test_an_unknown_scheme_is_told_with_the_known_ones() -> None:
    with pytest.raises(UnknownNameError, match="BIOES"):
        scheme_named("BMES")


def test_labels_are_held_against_the_scheme() -> None:
    assert wrong_labels(["O", "B-PER", "b-per", "E-PER", "o", "PER", "B-"], SCHEMES["IOB2"]) == [
        *("b-per", "E-PER", "o", "PER", "B-")
    ]


def test_every_scheme_is_a_metric_and_data_without_a_span_have_no_score() -> None:
    assert set(SPAN_SCHEMES) == set(SCHEMES)
    for name in SPAN_SCHEMES:
        measure = metric(f"span_f1_{name.lower()}")
        sums = dict(zip(measure.columns, np.array([0.0, 3.0, 0.0]), strict=True))
        assert not measure.is_defined(sums) and measure.undefined == "no gold span in its data"
