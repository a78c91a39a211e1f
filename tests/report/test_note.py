import re
from dataclasses import replace
from pathlib import Path

import pytest

from stilts.report.note import markdown_note
from tests.report.studies import ROWS, TARGETS, Shown, shown, table


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Shown:
    return shown(tmp_path_factory.mktemp("store"), settings={"question": "Which one\n helps?"})


@pytest.fixture(scope="module")
def lines(study: Shown) -> list[str]:
    return markdown_note(study.record, study.cells, study.answers).splitlines()


def test_the_answers_come_at_a_glance_before_the_question(lines: list[str]) -> None:
    assert lines[0].startswith("panx: train on hellaswag first (hellaswag +9.0, ")
    assert "xnli: one seed each, says nothing yet" in lines[0], "no row stands without its doubt"
    assert lines[2] == "Which one helps?"
    assert len(lines) < 120


def test_many_targets_at_a_glance_take_little_room_and_say_what_they_leave_out(tmp_path: Path) -> None:
    made = shown(tmp_path)
    many = [replace(made.answers[0], target=f"a_target_with_a_long_name_{number}") for number in range(60)]
    first = markdown_note(made.record, made.cells, many).splitlines()[0]
    assert len(first) < 700
    assert re.search(r"; and \d\d more\.$", first)


def test_a_study_without_a_question_asks_the_general_one(tmp_path: Path) -> None:
    made = shown(tmp_path, toy=True, encoder="xlmr-base")
    note = markdown_note(made.record, made.cells, made.answers).splitlines()
    assert note[2] == "Which intermediate task should xlmr-base be fine-tuned on first?"
    assert note[4].startswith("**toy: ")
    assert any(line.startswith("- **xnli (toy):** one seed each, which claims nothing") for line in note)


def test_the_matrix_is_a_table_that_renders(lines: list[str]) -> None:
    table = [line for line in lines if line.startswith("|")]
    assert len(table) == 2 + len(ROWS)
    widths = {len(re.findall(r"(?<!\\)\|", line)) for line in table}
    assert widths == {1 + 1 + len(TARGETS) + 2}, "means with and without retrieval stand beside the targets"
    assert any("| 63.0 +3.0 1/2 failed s |" in line for line in table)
    assert any("| missing |" in line for line in table)


def test_names_cannot_break_the_markup(lines: list[str]) -> None:
    assert any(line.startswith(r"| a\|\<b\>&\_c\_ |") for line in lines)
    assert not any("<b>" in line for line in lines)


def test_each_target_has_one_line_with_its_doubt(lines: list[str]) -> None:
    answers = {line.split("**")[1]: line for line in lines if line.startswith("- ")}
    assert list(answers) == ["xnli:", "panx:", "tatoeba:"]
    panx = answers["panx:"]
    assert "train on **hellaswag** first, score 69.0, gain +9.0 (95 % interval" in panx
    assert "cannot be told from the best: " in panx
    assert "caveat: not complete: mnli failed (1 of 2 replicates done)" in panx
    assert "nothing chosen" in answers["tatoeba:"] and "oracle: hellaswag" in answers["tatoeba:"]
    assert "caveat: conditional on" in answers["xnli:"]


def test_without_answers_the_matrix_remains(study: Shown) -> None:
    note = markdown_note(study.record, study.cells, [])
    assert "| none |" in note and "- **" not in note


def test_the_answers_come_before_the_table(lines: list[str]) -> None:
    first_answer = next(at for at, line in enumerate(lines) if line.startswith("- "))
    first_table = next(at for at, line in enumerate(lines) if line.startswith("|"))
    assert first_answer < first_table


def test_a_large_matrix_is_cut_where_it_hurts_least_and_says_so() -> None:
    data, record = table(50, 20)
    whole = markdown_note(record, data, [], limit=100_000)
    lengths = []
    for limit in (14000, 8000, 1500, 200, 40):
        note = markdown_note(record, data, [], limit=limit)
        lengths.append(len(note))
        assert len(note) <= limit < len(whole)
        assert limit < 200 or "report.html" in note
    assert lengths == sorted(lengths, reverse=True)
    gains = markdown_note(record, data, [], limit=14000)
    assert "Gains only" in gains and gains.count("\n|") == 2 + 50


def test_rows_that_cannot_be_best_go_before_the_table(study: Shown) -> None:
    whole = markdown_note(study.record, study.cells, study.answers)
    notes = {
        limit: markdown_note(study.record, study.cells, study.answers, limit=limit) for limit in range(200, 4000, 20)
    }
    assert all(len(note) <= limit for limit, note in notes.items())
    answers = [line for line in whole.splitlines() if line.startswith("- ")]
    with_answers = [note for note in notes.values() if answers[0] in note]
    assert all(answer in note for note in with_answers for answer in answers), "the answers stay whole the longest"
