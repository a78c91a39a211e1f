"""Schemes of tags: as the task's, as the files', declared or not, and what no scheme has."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from stilts.metrics.schemes import SCHEMES, scheme_named, spans_of
from stilts.tasks.kinds.tagging import TAGGING
from tests.field.brought import BIO, brought, decoded, refused, split_files, tagged_lines, taken

TAGGED: dict[str, Any] = {"reader": "bio_tsv", "kind": "tagging", "metric": "span_f1"}


def labels_of(prefixes: str) -> list[str]:
    return ["O", *[f"{prefix}-{kind}" for kind in ("PER", "LOC") for prefix in prefixes]]


def study_of(folder: Path, tags: Sequence[str], labels: Sequence[str] = BIO, **declared: Any) -> Path:
    files = split_files(lambda sentences: tagged_lines(sentences, tags))
    return brought(folder, files, labels=labels, **TAGGED | declared)


def shown_tags(study: Path) -> list[str]:
    """The tags of the first four words of the first example that is shown."""
    pieces = decoded(taken(study))[0].split()
    return [piece.partition("/")[2] for piece in pieces if "/" in piece and not piece.startswith("<")][:4]


# The span of two words, the word outside and the span of one word, as each scheme writes them.
WRITTEN = {
    "IOB1": ("IB", ["I-PER", "I-PER", "O", "I-LOC"]),
    "IOB2": ("BI", ["B-PER", "I-PER", "O", "B-LOC"]),
    "IOE1": ("IE", ["I-PER", "I-PER", "O", "I-LOC"]),
    "IOE2": ("IE", ["I-PER", "E-PER", "O", "E-LOC"]),
    "BIOES": ("BIES", ["B-PER", "E-PER", "O", "S-LOC"]),
    "BILOU": ("BILU", ["B-PER", "L-PER", "O", "U-LOC"]),
}


@pytest.mark.parametrize("scheme", WRITTEN)
def test_the_readers_scheme_is_rewritten_as_bio(tmp_path: Path, scheme: str) -> None:
    study = study_of(tmp_path, WRITTEN[scheme][1], options={"scheme": scheme})
    assert shown_tags(study) == ["B-PER", "I-PER", "O", "B-LOC"]


@pytest.mark.parametrize("scheme", WRITTEN)
def test_the_tasks_scheme_keeps_its_tags(tmp_path: Path, scheme: str) -> None:
    prefixes, tags = WRITTEN[scheme]
    assert shown_tags(study_of(tmp_path, tags, labels_of(prefixes), task={"scheme": scheme})) == tags


@pytest.mark.parametrize("name", ["bioes", "IOBES", "Bilou", "BIOLU", "BIO", "iob1"])
def test_a_scheme_has_its_other_names(tmp_path: Path, name: str) -> None:
    prefixes, tags = WRITTEN[scheme_named(name).name]
    assert shown_tags(study_of(tmp_path, tags, labels_of(prefixes), task={"scheme": name})) == tags


@pytest.mark.parametrize("name", ["IOBES", "BIO", "BIOLU", "bioes"])
def test_a_reader_knows_them_too(tmp_path: Path, name: str) -> None:
    study = study_of(tmp_path, WRITTEN[scheme_named(name).name][1], options={"scheme": name})
    assert shown_tags(study) == ["B-PER", "I-PER", "O", "B-LOC"]


@pytest.mark.parametrize("reader", ["bio_tsv", "bio_columns"])
def test_labels_of_the_readers_scheme_are_scored_by_it(tmp_path: Path, reader: str) -> None:
    """BIOES labels with the reader's ``scheme`` need no second word of it in the task."""
    prefixes, tags = WRITTEN["BIOES"]
    study = study_of(tmp_path, tags, labels_of(prefixes), options={"scheme": "BIOES"}, reader=reader)
    assert shown_tags(study) == tags


@pytest.mark.parametrize("scheme", ["BIOES", "BILOU", "IOE2"])
def test_labels_of_a_scheme_that_is_not_said_are_refused(tmp_path: Path, scheme: str) -> None:
    prefixes, tags = WRITTEN[scheme]
    wrong = f"{prefixes[-1]}-PER"
    refused(study_of(tmp_path, tags, labels_of(prefixes)), 'task "mine", labels', wrong, "no tag is guessed", scheme)


@pytest.mark.parametrize(
    ("labels", "named"),
    [
        (["o", "b-per", "i-per"], "o, b-per, i-per are not"),
        (["O", "b-PER", "i-PER"], "b-PER, i-PER are not"),
        (["O", "PER", "LOC"], "PER, LOC are not"),
        (["O", "B_PER", "I_PER"], "B_PER, I_PER are not"),
        (["O", "B-", "I-"], "B-, I- are not"),
        (["O", "B-PER", "PER-I"], "PER-I is not"),
        (["O", "B PER", "I PER"], "B PER, I PER are not"),
        (["0", "B-PER", "I-PER"], "0 is not"),
        (["O", "B-PER", "I-PER", "<other>"], "<other> is not"),
    ],
)
def test_labels_of_no_scheme_are_named(tmp_path: Path, labels: list[str], named: str) -> None:
    refused(study_of(tmp_path, ["O"], labels), 'task "mine", labels', named, "label_map", "chunk_f1")


@pytest.mark.parametrize("metric", ["accuracy", "chunk_f1"])
def test_other_tags_have_other_metrics(tmp_path: Path, metric: str) -> None:
    study = study_of(tmp_path, ["PER", "PER", "O", "LOC"], ["O", "PER", "LOC"], metric=metric)
    assert shown_tags(study) == ["PER", "PER", "O", "LOC"]


def test_lower_case_tags_are_translated_by_a_map(tmp_path: Path) -> None:
    mapped = {label.lower(): label for label in BIO}
    study = study_of(tmp_path, ["b-per", "i-per", "o", "b-loc"], options={"label_map": mapped})
    files = split_files(
        lambda sentences: tagged_lines(sentences, ["b-per", "i-per", "o", "b-loc"]).replace("\tO", "\to")
    )
    for name, content in files.items():
        (tmp_path / name).write_text(str(content))
    assert shown_tags(study) == ["B-PER", "I-PER", "O", "B-LOC"]


@pytest.mark.parametrize(
    ("scheme", "tags", "line"),
    [
        ("BIOES", ["S-PER", "E-PER", "O"], 2),
        ("BIOES", ["O", "I-PER", "O"], 2),
        ("BIOES", ["B-PER", "O", "O"], 1),
        ("BILOU", ["B-PER", "L-LOC", "O"], 1),
        ("IOE2", ["O", "I-PER", "O"], 2),
        ("IOB2", ["I-PER", "I-PER", "O"], 1),
    ],
)
def test_tags_that_are_no_whole_span_are_told(tmp_path: Path, scheme: str, tags: list[str], line: int) -> None:
    refused(study_of(tmp_path, tags, options={"scheme": scheme}), f"scheme {scheme}", f"line {line}", "train-en")


@pytest.mark.parametrize(
    ("declared", "named"),
    [
        ({"task": {"scheme": "BIOE"}}, "BIOE"),
        ({"options": {"scheme": "IOB"}}, "IOB"),
        ({"task": {"scheme": "BIOES"}, "metric": "accuracy"}, "accuracy reads no spans"),
        ({"task": {"scheme": "BIOES"}}, "I-PER"),
    ],
)
def test_a_scheme_that_does_not_fit_is_told(tmp_path: Path, declared: dict[str, Any], named: str) -> None:
    labels = ["O", "B-PER", "I-PER", "B-LOC", "I-LOC"] if named != "I-PER" else ["O", "B_PER", "I-PER"]
    refused(study_of(tmp_path, ["O"], labels, **declared), named if named != "I-PER" else "B_PER is no tag")


def test_bio_labels_are_not_those_of_a_scheme_with_ends(tmp_path: Path) -> None:
    study = study_of(tmp_path, ["O"], ["O", "B-PER", "I-PER"], task={"scheme": "BIOES"})
    refused(study, "no label begins with E- or S-")


def test_a_task_without_tags_has_no_scheme(tmp_path: Path) -> None:
    study = brought(tmp_path, split_files(tagged_lines), task={"scheme": "BIOES"})
    refused(study, "a classification task has no tags")


@pytest.mark.parametrize(
    ("scheme", "tags", "spans"),
    [
        ("BIOES", ["S-LOC", "S-LOC"], {("LOC", 0, 0), ("LOC", 1, 1)}),
        ("BILOU", ["U-LOC", "U-LOC"], {("LOC", 0, 0), ("LOC", 1, 1)}),
        ("IOB1", ["I-LOC", "B-LOC"], {("LOC", 0, 0), ("LOC", 1, 1)}),
        ("IOB2", ["B-LOC", "B-LOC"], {("LOC", 0, 0), ("LOC", 1, 1)}),
        ("IOE1", ["I-LOC", "E-LOC", "I-LOC"], {("LOC", 0, 1), ("LOC", 2, 2)}),
        ("IOE2", ["E-LOC", "E-LOC"], {("LOC", 0, 0), ("LOC", 1, 1)}),
    ],
)
def test_two_names_that_touch_are_two_spans(scheme: str, tags: list[str], spans: set[tuple[str, int, int]]) -> None:
    assert spans_of(tags, SCHEMES[scheme]) == spans
    again = TAGGING.scoring(f"span_f1_{scheme.lower()}").again
    assert again is not None
    (row,) = again([" ".join(tags)], [" ".join(tags)], "en")
    assert list(row) == [2, 2, 2]
