from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pytest

from stilts.data.load import load_examples
from stilts.errors import StudyError
from stilts.tasks import tasks_schema
from stilts.tasks.registry import Registry
from stilts.tasks.resolve import Resolver
from stilts.tasks.task import Dataset, FilesLayout, HubLayout, SplitRef, Task, ToyLayout
from stilts.tasks.user_tasks import load_user_tasks

GOOD = """\
datasets:
  reviews:
    languages: {train: [en], test: [en, de]}
    files:
      reader: pair_tsv
      splits: {train: "reviews/{lang}.train.tsv", test: "reviews/{lang}.test.tsv"}
    licence: CC0
tasks:
  reviews:
    kind: classification
    metric: accuracy
    labels: [good, bad]
    train: {dataset: reviews, split: train, part: rest}
    test: {dataset: reviews, split: test}
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "my_tasks.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_file_beside_the_study_adds_tasks_that_load(tmp_path: Path) -> None:
    registry = Registry()
    load_user_tasks(write(tmp_path, GOOD), registry)
    folder = tmp_path / "reviews"
    folder.mkdir()
    (folder / "de.test.tsv").write_text("gut\twirklich\tgood\nschlecht\tnie wieder\tbad\n", encoding="utf-8")
    task = registry.task("reviews")
    assert task.test is not None and task.labels == ("good", "bad")
    view = Resolver(registry, {"tasks": tmp_path}).views(task.test, task.kind, ["de"])[0]
    assert view.location == {"root": "tasks", "paths": ["reviews/de.test.tsv"]}
    assert [example.item for example in load_examples(view, {"tasks": tmp_path}, labels=task.labels)] == ["0", "1"]


@pytest.mark.parametrize(
    ("old", "new", "place", "said"),
    [
        ("kind: classification", "kind: clasification", "tasks.reviews.kind", "classification"),
        ("metric: accuracy", "metric: squad", "tasks.reviews.metric", "Allowed: accuracy"),
        ("metric: accuracy", "metrik: accuracy", "tasks.reviews", "metric"),
        ("licence: CC0", "license: CC0", "datasets.reviews.license", "Allowed: languages, files"),
        ("licence: CC0", "licence: 3", "datasets.reviews.licence", "string"),
        ("reader: pair_tsv", "reader: pairs", "datasets.reviews.files.reader", "known: text_tsv"),
        ("part: rest", "part: most", "tasks.reviews.train.part", "'rest'"),
        ("part: rest", "portion: rest", "tasks.reviews.train.portion", "Allowed: dataset, split, part"),
        ("split: test}", "split: tset}", "tasks.reviews", "tset"),
        ("dataset: reviews, split: train", "dataset: review, split: train", "tasks.reviews", 'Did you mean "reviews"'),
        ('"reviews/{lang}.train.tsv"', '"/etc/passwd"', "datasets.reviews.files.splits.train", "no path below"),
        ('"reviews/{lang}.train.tsv"', '"../x.tsv"', "datasets.reviews.files.splits.train", "no path below"),
        ("labels: [good, bad]", "labels: [good]", "tasks.reviews", "labels"),
        ("labels: [good, bad]", "labels: yes", "tasks.reviews.labels", "list"),
        ("reader: pair_tsv", "reader: conllu", "tasks.reviews.train", "tagging examples"),
        ("languages: {train: [en], test: [en, de]}", "languages: {train: []}", "datasets.reviews.languages.train", ""),
        ("tasks:\n  reviews:", "tasks:\n  my reviews:", "tasks.my reviews", "letters"),
        ("tasks:\n", "task:\n", "task", "Allowed: datasets, tasks, root"),
        ("licence: CC0", "num_train: 0", "datasets.reviews.num_train", "greater than or equal to 1"),
        ("labels: [good, bad]", "labels_file: /etc/passwd", "tasks.reviews.labels_file", "no path below"),
        ("labels: [good, bad]", "labels: [a]\n    labels_file: x.txt", "tasks.reviews", "labels beside it"),
    ],
)
def test_a_mistake_is_told_by_file_and_field(tmp_path: Path, old: str, new: str, place: str, said: str) -> None:
    assert old in GOOD
    with pytest.raises(StudyError) as caught:
        load_user_tasks(write(tmp_path, GOOD.replace(old, new)), Registry())
    message = str(caught.value)
    assert f"my_tasks.yaml: {place}" in message and said in message
    assert caught.value.exit_code == 2


@pytest.mark.parametrize("text", ["", "- a\n", "tasks: [", "a: 1\na: 2\n", "tasks: {x: 3}\n", "\x00"])
def test_a_file_of_another_shape_is_a_study_error(tmp_path: Path, text: str) -> None:
    with pytest.raises(StudyError, match=r"my_tasks\.yaml"):
        load_user_tasks(write(tmp_path, text), Registry())


@pytest.mark.parametrize(
    "text", ["tasks: {{{0}: 1}}", "{0}: 1", 'datasets: {{d: {{files: {{splits: {{a: "/{0}"}}}}}}}}']
)
def test_a_message_is_short_whatever_the_file_holds(tmp_path: Path, text: str) -> None:
    with pytest.raises(StudyError) as caught:
        load_user_tasks(write(tmp_path, text.format("x" * 100_000)), Registry())
    assert len(str(caught.value)) < 3000


def test_missing_and_undecodable_files_are_study_errors(tmp_path: Path) -> None:
    with pytest.raises(StudyError, match="cannot be read"):
        load_user_tasks(tmp_path / "none.yaml", Registry())
    (tmp_path / "latin.yaml").write_bytes(b"tasks: {\xe9: 1}\n")
    with pytest.raises(StudyError, match="UTF-8"):
        load_user_tasks(tmp_path / "latin.yaml", Registry())


def test_a_name_of_the_catalogue_is_taken(tmp_path: Path) -> None:
    registry = Registry()
    load_user_tasks(write(tmp_path, GOOD), registry)
    with pytest.raises(StudyError, match="registered already"):
        load_user_tasks(write(tmp_path, GOOD), registry)


@pytest.mark.parametrize(
    ("model", "value"),
    [
        (tasks_schema.DatasetFields, Dataset),
        (tasks_schema.TaskFields, Task),
        (tasks_schema.FilesFields, FilesLayout),
        (tasks_schema.HubFields, HubLayout),
        (tasks_schema.ToyFields, ToyLayout),
        (tasks_schema.SplitFields, SplitRef),
    ],
)
def test_the_file_has_exactly_the_fields_of_the_values(model: type, value: type) -> None:
    assert set(model.model_fields) - {"labels_file", "scheme"} == {field.name for field in fields(value)} - {
        "name",
        "is_release",
    }


def test_labels_may_stand_in_a_file_of_their_own(tmp_path: Path) -> None:
    text = GOOD.replace("labels: [good, bad]", "labels_file: labels/reviews.txt")
    with pytest.raises(StudyError, match=r"reviews\.txt.*Give the path of a text file"):
        load_user_tasks(write(tmp_path, text), Registry())
    (tmp_path / "labels").mkdir()
    written = "# Ours, of 2026.\n#\n\ngood\r\n bad \n#worse\n"
    (tmp_path / "labels" / "reviews.txt").write_text(written, encoding="utf-8", newline="")
    registry = Registry()
    load_user_tasks(write(tmp_path, text), registry)
    assert registry.task("reviews").labels == ("good", "bad", "#worse"), "in the order of the file"


def test_a_file_may_say_where_its_data_lie(tmp_path: Path) -> None:
    other = GOOD.replace(
        "datasets:\n", "datasets:\n  more: {languages: {train: [en]}, files: {reader: lines, splits: {}}}\n"
    )
    text = f"root: data\n{other}".replace("reader: pair_tsv", "reader: pair_tsv\n      root: text")
    registry = Registry()
    load_user_tasks(write(tmp_path, text), registry)
    roots = {dataset.name: dataset.files.root for dataset in registry.datasets() if dataset.files}
    assert roots == {"more": "data", "reviews": "text"}
    plain = Registry()
    load_user_tasks(write(tmp_path, GOOD.replace("licence: CC0", "num_train: 12")), plain)
    reviews = plain.dataset("reviews")
    assert reviews.files is not None and (reviews.files.root, reviews.num_train) == ("tasks", 12)
