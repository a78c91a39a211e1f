from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console, RenderableType

from stilts.analysis.best import best
from stilts.analysis.matrix import cells
from stilts.analysis.results import StudyResults
from stilts.report.phrases import equals, facts, mean_lines
from stilts.report.tables import answer_lines, language_table, matrix_table
from stilts.study.record import Row, StudyRecord
from tests.analysis.fake_store import FakeStore, column, evaluate, matrix_of, record, replicate

TARGETS = [column(name) for name in ("xnli", "udpos", "panx", "tydiqa")] + [
    replace(column("tatoeba", select=False), group="retrieval")
]
ROWS = [Row(name=name) for name in ("none", "mnli", "tydiqa_en", "hellaswag", "three_together", "searched_mix")]


def text(renderable: RenderableType, width: int = 140) -> str:
    console = Console(width=width, color_system=None, force_terminal=False)
    with console.capture() as capture:
        console.print(renderable)
    return capture.get()


@pytest.fixture
def store(tmp_path: Path) -> FakeStore:
    return FakeStore(tmp_path)


def study(store: FakeStore, **changes: object) -> StudyRecord:
    items = []
    for number, row in enumerate(ROWS):
        for target in TARGETS:
            for seed in (1, 2) if target.name == "panx" else (1,):
                item = replicate(row.name, target, None if row.name == "none" else seed, seed)
                items.append(item)
                if (row.name, target.name) != ("hellaswag", "xnli"):
                    evaluate(store, item, 60 + 3 * number + seed if target.name != "tydiqa" else 34, num_items=60)
    return record(ROWS, TARGETS, items, **changes)


def matrix(store: FakeStore, made: StudyRecord, width: int = 140) -> str:
    answers = best(made, store, draws=50)  # type: ignore[arg-type]
    return text(matrix_table(cells(made, matrix_of(made, store)), made, answers), width)  # type: ignore[arg-type]


@pytest.mark.parametrize("width", [100, 140])
def test_every_cell_is_readable(store: FakeStore, width: int) -> None:
    shown = matrix(store, study(store), width)
    assert all(len(line.rstrip()) <= width for line in shown.splitlines())
    assert "…" not in shown
    assert all(row.name in shown for row in ROWS)
    assert "missing" in shown
    mnli = next(line for line in shown.splitlines() if line.split()[:1] == ["mnli"])
    assert "63.3 +1.7" in mnli


def test_marks_are_explained_below(store: FakeStore) -> None:
    made = study(store, overlaps=(("mnli", "xnli", "same data"),))
    shown = matrix(store, made)
    for words in ("* chosen on select", "o highest on report", "s single replicate", "~ near chance", "x overlap"):
        assert words in " ".join(shown.splitlines()[-3:])


def test_marks_that_do_not_occur_are_not_explained(store: FakeStore) -> None:
    assert "x overlap" not in matrix(store, study(store))


def test_toy_is_said_in_title_and_answers(store: FakeStore) -> None:
    made = study(store, toy=True)
    assert "(toy data and encoder)" in matrix(store, made)
    assert "xnli (toy):" in text(answer_lines(best(made, store, draws=50)))  # type: ignore[arg-type]


def test_a_mean_over_an_incomplete_row_is_not_formed(store: FakeStore) -> None:
    shown = matrix(store, study(store))
    row = next(line for line in shown.splitlines() if line.split()[:1] == ["hellaswag"])
    assert row.split()[-2:] == ["-", "-"]


def test_answers_say_choice_gain_and_condition(store: FakeStore) -> None:
    shown = text(answer_lines(best(study(store), store, draws=50)), width=1000)  # type: ignore[arg-type]
    assert "panx: train on searched_mix first, score 76.7, gain +15.0 (95 % interval" in shown
    assert "conditional on:" in shown
    assert "the cell: the seed of its only replicate" in shown
    assert "tatoeba: nothing chosen, tatoeba has no selection score" in shown
    assert "oracle: searched_mix" in shown
    assert "could be best:" in shown
    assert "searched_mix +15.0 ±" in shown
    assert "± 95 %" in shown
    assert "read nothing into the differences" in shown
    assert "to be surer:" in shown


def test_intervals_and_spread_stand_below_the_scores(store: FakeStore) -> None:
    made = study(store)
    results = StudyResults(record=made, store=store, draws=50)  # type: ignore[arg-type]
    gain = results.gain("mnli", "panx")
    assert gain is not None
    shown = text(matrix_table(results.cells, made, gains={("mnli", "panx"): gain}))
    lines = shown.splitlines()
    [below] = [lines[number + 1] for number, line in enumerate(lines) if line.split()[:1] == ["mnli"]]
    [sd] = results.cells.query("row == 'mnli' and column == 'panx'")["sd"]
    assert f"±{gain.high - gain.estimate:.1f}({sd:.1f})" in below
    assert "± 95 % interval of the gain (standard deviation over replicates)" in lines[-1]


def test_a_row_that_stands_alone_may_lack_a_claimed_gain(store: FakeStore) -> None:
    [answer] = [item for item in best(study(store), store, draws=50) if item.target == "panx"]  # type: ignore[arg-type]
    [none_claimed] = [
        replace(answer, equals=("searched_mix",), gains=tuple(replace(gain, p_adjusted=0.3) for gain in answer.gains))
    ]
    assert "yet its gain over none is not beyond chance with all cells of the matrix together" in equals(none_claimed)
    assert "stands alone" in equals(replace(answer, equals=("searched_mix",)))
    assert "stands alone" not in equals(answer)


def test_an_overlap_stands_right_under_the_headline(store: FakeStore) -> None:
    made = study(store, overlaps=(("searched_mix", "panx", "same data"),))
    [answer] = [item for item in best(made, store, draws=50) if item.target == "panx"]  # type: ignore[arg-type]
    assert facts(answer)[0] == ("overlap", "same data")
    assert sum("same data" in text for _, text in facts(answer)) == 1


def test_masked_lm_columns_enter_no_mean(store: FakeStore) -> None:
    made = study(store)
    columns = tuple(replace(item, kind="masked_lm") if item.name == "xnli" else item for item in made.columns)
    probed = replace(made, columns=columns)
    means = mean_lines(probed, cells(probed, matrix_of(probed, store)))  # type: ignore[arg-type]
    assert means["hellaswag"]["mean"] != "-"  # the cell that it lacks is the probe's
    assert mean_lines(made, cells(made, matrix_of(made, store)))["hellaswag"]["mean"] == "-"  # type: ignore[arg-type]


def test_an_empty_study_has_words_in_every_cell(store: FakeStore) -> None:
    items = [replicate("none", TARGETS[0], None, 1), replicate("mnli", TARGETS[0], 1, 1)]
    made = record(ROWS[:2], TARGETS[:1], items)
    assert matrix(store, made).count("missing") == 2
    assert "no row is scored" in text(answer_lines(best(made, store)))  # type: ignore[arg-type]


def test_languages_have_a_table_of_their_own(store: FakeStore) -> None:
    made = study(store)
    shown = text(language_table(matrix_of(made, store), made, "panx"), width=100)  # type: ignore[arg-type]
    assert [line.split()[0] for line in shown.splitlines() if line.strip()][3:] == ["en", "de", "sw", "zh"]
