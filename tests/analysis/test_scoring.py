"""Scores of submission folders: the official figures, hand-made ones, and what is refused."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stilts.analysis.scoring.benchmarks import BENCHMARKS, XTREME, XTREME_R, FileFormat, benchmark
from stilts.analysis.scoring.checks import Files
from stilts.analysis.scoring.language_scores import score_language
from stilts.analysis.scoring.submission import score_submission
from stilts.analysis.scoring.submission_files import read_answers, read_choices, read_lines, read_questions
from stilts.errors import DataError, UnknownNameError
from tests.analysis.submissions import TASKS, example_of, write

GOLDEN = Path(os.environ.get("STILTS_SHARED", Path(__file__).parents[3] / "shared")) / "golden"
SETS = sorted(GOLDEN.glob("set*"))
ALL = {name: task for each in BENCHMARKS.values() for name, task in each.tasks.items()}


def leaves(value: Any, at: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], float]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from leaves(inner, (*at, key))
    else:
        yield at, value


@pytest.mark.skipif(not SETS, reason="no golden figures at hand")
@pytest.mark.parametrize("golden", SETS, ids=lambda path: path.name)
@pytest.mark.parametrize("each", BENCHMARKS.values(), ids=lambda each: each.name)
def test_every_official_figure(golden: Path, each: Any) -> None:
    name = f"expected_{each.name.replace('-', '_')}.json"
    expected = dict(leaves(json.loads((golden / name).read_text())))
    got = dict(leaves(score_submission(golden / "predictions", golden / "labels", each).as_json()))
    assert len(expected) > 300
    assert {place: got.get(place) for place in expected} == pytest.approx(expected, abs=1e-6)
    # Beyond the tasks, XTREME-R's expected figures hold no averages over tasks.
    assert {place[0] for place in got.keys() - expected.keys()} <= set(XTREME_R.groups)


@pytest.mark.parametrize("each", BENCHMARKS.values(), ids=lambda each: each.name)
def test_hand_made_figures(tmp_path: Path, each: Any) -> None:
    scored = score_submission(*write(tmp_path, each), each)
    wanted = {name: TASKS[name][2] for name in each.tasks}
    assert {name: task.score for name, task in scored.tasks.items()} == pytest.approx(wanted)
    value = scored.as_json()
    assert value["all_task"] == pytest.approx(sum(wanted.values()) / len(wanted))
    assert {name: value[name] for name in each.groups} == pytest.approx(
        {name: sum(wanted[task] for task in tasks) / len(tasks) for name, tasks in each.groups.items()}
    )
    squad = value["xquad"]
    assert squad["exact_match"].keys() == squad["f1"].keys() == set(each.tasks["xquad"].languages)
    assert squad["avg_exact_match"] == pytest.approx(200 / 3) and squad["avg_f1"] == pytest.approx(100 / 3)
    assert any("11 questions have no answer" in note or "12 questions have no answer" in note for note in scored.notes)


def test_averages_without_retrieval(tmp_path: Path) -> None:
    overall = score_submission(*write(tmp_path, XTREME_R), XTREME_R).overall
    others = [TASKS[name][2] for name in XTREME_R.tasks if name not in ("tatoeba", "mewslix", "lareqa")]
    assert overall is not None and overall.without_retrieval == pytest.approx(sum(others) / 7)


def test_a_part_of_the_tasks_has_no_overall_figure(tmp_path: Path) -> None:
    value = score_submission(*write(tmp_path, XTREME, ("xnli", "pawsx", "panx")), XTREME).as_json()
    assert set(value) == {"classification", "xnli", "pawsx", "panx"}
    assert set(score_submission(tmp_path / "predictions", tmp_path / "labels", XTREME, ["panx"]).as_json()) == {"panx"}


def test_languages_of_the_other_version_are_left_alone(tmp_path: Path) -> None:
    sides = write(tmp_path, XTREME_R, ("panx", "xcopa"))
    scored = score_submission(*sides, XTREME)
    assert len(scored.tasks["panx"].figures["f1"]) == 40
    assert scored.notes == ("xcopa is no task of xtreme and not scored",)


def test_lines_end_as_the_official_scorer_lets_them(tmp_path: Path) -> None:
    file = write(tmp_path, XTREME, ("xnli",))[0] / "xnli" / "test-de.tsv"
    file.write_bytes(b"neutral\r\n neutral \rcontradiction\nneutral")
    scored = score_submission(tmp_path / "predictions", tmp_path / "labels", XTREME)
    assert scored.tasks["xnli"].figures["accuracy"]["de"] == 75.0


def test_a_blank_line_counts_as_a_prediction(tmp_path: Path) -> None:
    files = [side / "tatoeba" / "test-de.tsv" for side in write(tmp_path, XTREME, ("tatoeba",))]
    files[0].write_text("0\n1\n2\n\n")
    scored = score_submission(tmp_path / "predictions", tmp_path / "labels", XTREME)
    assert scored.tasks["tatoeba"].figures["accuracy"]["de"] == 75.0
    assert scored.notes == ("tatoeba: 1 lines are blank and count as predictions (de)",)
    files[0].write_text("0\n1\n2\n3\n\n")
    with pytest.raises(DataError, match=r"line 5: 5 predictions.*Take out the blank line"):
        score_submission(tmp_path / "predictions", tmp_path / "labels", XTREME)


def test_nothing_mined_scores_nothing(tmp_path: Path) -> None:
    file = write(tmp_path, XTREME, ("bucc2018",))[0] / "bucc2018" / "test-de.tsv"
    file.write_text("")
    scored = score_submission(tmp_path / "predictions", tmp_path / "labels", XTREME)
    assert scored.tasks["bucc2018"].figures["f1"]["de"] == 0.0


@pytest.mark.parametrize(
    ("task", "side", "text", "found"),
    [
        ("xnli", "predictions", "neutral\nneutral\n", r"predictions/xnli/test-de.tsv, line 3: 2 predictions.*has 4"),
        ("xnli", "predictions", "neutral\n" * 6, r"test-de.tsv, line 5: 6 predictions"),
        ("xnli", "predictions", "0\n1\n2\n0\n", r'line 1: "0" and all other predictions are none of the labels'),
        ("xnli", "labels", "", r"labels/xnli/test-de.tsv: no labels"),
        ("pawsx", "predictions", b"0\n\xff\n", r"test-de.tsv, line 2: byte 0xff is not UTF-8"),
        ("pawsx", "predictions", b"\xef\xbb\xbf0\n1\n", r"line 1: begins with a byte-order mark"),
        (
            "panx",
            "predictions",
            "B-PER\nO\nB-LOC\nO\n\nO\n\n",
            r"line 5: sentence 1 has 4 tags. It has 5 words in .*line 1",
        ),
        ("panx", "predictions", "B-PER\nI-PER\nO\nB-LOC\nO\n\nO\nO\n\n", r"line 8: sentence 2 has 2 tags.*line 7"),
        (
            "panx",
            "predictions",
            "O\nO\nO\nO\nO\n\n",
            r"labels/panx/test-de.tsv, line 7: sentence 2 is in this file only",
        ),
        ("panx", "predictions", "O\nO\nO\nO\nO\n\nO\n\nO\n", r"predictions/panx/test-de.tsv, line 9: sentence 3 is in"),
        ("udpos", "predictions", "Hund NOUN\n", r'test-de.tsv, line 1: "Hund NOUN" is no tag'),
        ("bucc2018", "predictions", "a\tx\nb y\n", r"test-de.tsv, line 2: 1 columns"),
        ("bucc2018", "labels", "", r"labels/bucc2018/test-de.tsv: no labels"),
        ("tatoeba", "predictions", "0\n1\nzwei\n3\n", r'line 3: "zwei" is no number'),
        ("xcopa", "predictions", '{"label": 0}\n{"label": "1"}\n', r"test-et.jsonl, line 2, field label: no number"),
        ("xcopa", "predictions", '{"label": 0}\n{"lab', r"test-et.jsonl, line 2: not JSON"),
        ("xcopa", "predictions", '{"label": 0}\n', r"test-et.jsonl, line 2: 1 predictions"),
        ("mlqa", "predictions", '{"q1": "a",\n"q2": ', r"test-de.json, line 2: not JSON"),
        ("mlqa", "predictions", '{"q1": null}', r"test-de.json, field q1: null where a text"),
        ("mlqa", "predictions", '["a"]', r"test-de.json: a list where a JSON object"),
        ("mlqa", "predictions", '{"x1": "a"}', r"none of its 1 ids is in .*labels/mlqa/test-de.json"),
        (
            "mlqa",
            "labels",
            '{"data": [{"paragraphs": [{"context": "c"}]}]}',
            r"field data\[0\].paragraphs\[0\].qas: the",
        ),
        ("mlqa", "labels", '{"data": [{"paragraphs": [{"qas": [{"id": "q", "answers": []}]}]}]}', "no answers"),
        ("mewslix", "predictions", '{"m1": "Q1"}', r"test-de.json, field m1: a str where a list of texts"),
        ("mewslix", "labels", '{"m1": []}', r"labels/mewslix/test-de.json, field m1: no right answer"),
        ("lareqa", "predictions", '{"q": [1]}', r"test-de.json, field q: a list where a list of texts"),
    ],
)
def test_what_does_not_match_is_an_error_with_its_place(
    tmp_path: Path, task: str, side: str, text: str | bytes, found: str
) -> None:
    chosen = next(each for each in BENCHMARKS.values() if task in each.tasks)
    write(tmp_path, chosen, (task,))
    code = "et" if task == "xcopa" else "de"
    file = tmp_path / side / task / f"test-{code}.{chosen.tasks[task].format.suffix}"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(DataError, match=f"(?s){found}") as raised:
        score_submission(tmp_path / "predictions", tmp_path / "labels", chosen)
    assert raised.value.exit_code == 2


def test_folders_and_files_must_be_known_and_there(tmp_path: Path) -> None:
    predictions, labels = write(tmp_path, XTREME, ("xnli", "panx"))
    with pytest.raises(DataError, match="nowhere: no such folder"):
        score_submission(tmp_path / "nowhere", labels, XTREME)
    with pytest.raises(DataError, match="no folder of a task of xtreme"):
        score_submission(tmp_path, labels, XTREME)
    with pytest.raises(DataError, match="no folder pawsx"):
        score_submission(predictions, labels, XTREME, ["pawsx"])
    with pytest.raises(UnknownNameError, match='Did you mean "panx"'):
        score_submission(predictions, labels, XTREME, ["pan"])
    (predictions / "xnil").mkdir()
    with pytest.raises(DataError, match=r'xnil: no task has this name\. Did you mean "xnli"'):
        score_submission(predictions, labels, XTREME)
    (predictions / "xnil").rename(predictions / "pawsx")
    with pytest.raises(DataError, match="labels/pawsx: no such folder"):
        score_submission(predictions, labels, XTREME)
    (predictions / "pawsx").rmdir()
    (predictions / "xnli" / "test-xx.tsv").touch()
    with pytest.raises(DataError, match=r"test-xx.tsv: no language of xnli"):
        score_submission(predictions, labels, XTREME)
    (predictions / "xnli" / "test-xx.tsv").unlink()
    (labels / "panx" / "test-sw.tsv").unlink()
    with pytest.raises(DataError, match=r"labels/panx/test-sw.tsv: no such file. .* 40 languages"):
        score_submission(predictions, labels, XTREME)


def test_an_unknown_benchmark_is_refused() -> None:
    with pytest.raises(UnknownNameError, match="xtreme-r"):
        benchmark("xtreme-x")


@pytest.mark.parametrize("form", list(FileFormat), ids=lambda form: form.name)
@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_damaged_file_is_scored_or_refused_and_nothing_else(
    tmp_path: Path, form: FileFormat, data: st.DataObject
) -> None:
    task = ALL[example_of(form)]
    texts = [text.encode() for text in TASKS[task.name][:2]]
    side = data.draw(st.integers(0, 1))
    start = data.draw(st.integers(0, len(texts[side])))
    length = data.draw(st.integers(0, 9))
    texts[side] = texts[side][:start] + data.draw(st.binary(max_size=6)) + texts[side][start + length :]
    files = Files(labels=tmp_path / "labels", predictions=tmp_path / "predictions", language="de")
    files.labels.write_bytes(texts[0])
    files.predictions.write_bytes(texts[1])
    try:
        figures = score_language(task, files).figures
    except DataError as error:
        assert str(tmp_path) in str(error)
    else:
        assert all(0 <= figure <= 100 for figure in figures.values())


def test_what_is_no_file_too_large_or_too_deep_is_one_message(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "large").touch()
    os.truncate(tmp_path / "large", 2**31)
    (tmp_path / "deep").write_text("[" * 200_000 + "]" * 200_000)
    (tmp_path / "lines").write_text('{"label": 0}\n' + '{"label": ' + "[" * 200_000 + "\n")
    for read, name, said in (
        (read_lines, "pipe", "it is a pipe, no file"),
        (read_lines, "large", "it holds 2 GiB, more than the 1 GiB"),
        (read_answers, "deep", "line 1: the JSON is nested more than 128 deep"),
        (read_questions, "deep", "line 1: the JSON is nested more than 128 deep"),
        (read_choices, "lines", "line 2: the JSON is nested more than 128 deep"),
    ):
        with pytest.raises(DataError, match=said):
            read(tmp_path / name)
