"""`stilts export --submission`: what is written is what `stilts score` reads, and scores as the matrix does."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from stilts.analysis.submission.fitting import caveats, other_questions, reason_against
from stilts.app.submitting import check_agreement, export_submission
from stilts.cli.main import app
from stilts.errors import InputError, StoreError, StudyError, UnknownNameError
from stilts.metrics.chunks import chunk_rows
from stilts.metrics.metric import metric
from stilts.store.store import Store
from tests.analysis.answered_study import NAME, answered_column, results_of, write_study

XTREME_TASKS = ("xnli", "pawsx", "panx", "udpos", "xquad", "mlqa", "tydiqa")


def invoke(store: Store, *words: object) -> Any:
    return CliRunner().invoke(app, [*map(str, words), "--store", store.url])


def matrix_of(store: Store, column: str) -> dict[str, float]:
    shown = results_of(store).language_scores
    own = shown[shown["column"] == column]
    return dict(zip(own["language"], own["score"], strict=True))


def scored(folder: Path, benchmark: str = "xtreme") -> dict[str, Any]:
    shown = CliRunner().invoke(app, ["score", str(folder / "p"), str(folder / "l"), "--benchmark", benchmark, "--json"])
    assert shown.exit_code == 0, shown.output + shown.stderr
    value: dict[str, Any] = json.loads(shown.stdout)
    return value


def official(figures: dict[str, Any]) -> dict[str, float]:
    """The share of each language in the task's score."""
    if "exact_match" in figures:
        return {code: (figures["exact_match"][code] + figures["f1"][code]) / 2 for code in figures["f1"]}
    return dict(figures.get("f1") or figures["accuracy"])


def test_exported_and_scored_equals_the_matrix_in_every_language(tmp_path: Path) -> None:
    store = write_study(tmp_path, [answered_column(name) for name in XTREME_TASKS])
    done = invoke(store, "export", NAME, "--submission", tmp_path / "p", "--labels", tmp_path / "l", "--json")
    assert done.exit_code == 0, done.output
    value = json.loads(done.stdout)
    assert value["left_out"] == [] and [target["target"] for target in value["targets"]] == list(XTREME_TASKS)
    figures = scored(tmp_path)
    for name in set(XTREME_TASKS) - {"udpos"}:
        assert official(figures[name]) == pytest.approx(matrix_of(store, name), abs=1e-9)
    for target in value["targets"]:
        by_language = {each["language"]: each["official"] for each in target["languages"]}
        assert by_language == pytest.approx(official(figures[target["task"]]), abs=1e-9)


def test_mlqa_scored_as_squad_by_an_older_version_is_told_apart(tmp_path: Path) -> None:
    assert "squad" not in answered_column("mlqa").metric
    store = write_study(tmp_path, [answered_column("mlqa", task="xquad")])
    record = store.read_record(f"studies/{NAME}/record")
    text = json.dumps(record).replace('"task": "xquad"', '"task": "mlqa"')
    store.write_record(f"studies/{NAME}/record", json.loads(text))
    done = invoke(store, "export", NAME, "--submission", tmp_path / "p", "--labels", tmp_path / "l", "--json")
    (target,) = json.loads(done.stdout)["targets"]
    assert target["task"] == "mlqa" and "SQuAD's normalisation" in target["other_measure"]


def test_parts_of_speech_are_scored_by_chunks_and_the_export_says_so(tmp_path: Path) -> None:
    store = write_study(tmp_path, [answered_column("udpos")])
    done = invoke(store, "export", NAME, "--submission", tmp_path / "p", "--labels", tmp_path / "l")
    assert "accuracy over words, the official scorer F1 of chunks" in " ".join(done.stdout.split())
    figures = scored(tmp_path)["udpos"]["f1"]
    (replicate,) = results_of(store).record.replicates
    for language, key in replicate.outputs["report"].items():
        table = pq.read_table(store.fetch(key) / "examples.parquet")
        gold, said = ([text.split() for text in table[name].to_pylist()] for name in ("truth", "prediction"))
        sums = dict(zip(("tp", "predicted", "gold"), chunk_rows(gold, said).sum(axis=0), strict=True))
        assert figures[language] == pytest.approx(float(metric("chunk_f1").score(sums)), abs=1e-9)


def test_parts_of_speech_scored_as_the_official_scorer_does_equal_the_matrix(tmp_path: Path) -> None:
    columns = [answered_column("udpos"), answered_column("udpos_f1", answered_column("udpos").languages)]
    store = write_study(tmp_path, columns)
    done = invoke(store, "export", NAME, "--submission", tmp_path / "p", "--labels", tmp_path / "l", "--json")
    value = json.loads(done.stdout)
    assert done.exit_code == 0 and [target["target"] for target in value["targets"]] == ["udpos_f1"]
    assert [left["target"] for left in value["left_out"]] == ["udpos"]  # one folder, one set of predictions
    assert official(scored(tmp_path)["udpos"]) == pytest.approx(matrix_of(store, "udpos_f1"), abs=1e-9)


def test_retrieval_needs_a_row_and_joins_the_same_folder_later(tmp_path: Path) -> None:
    store = write_study(tmp_path, [answered_column("xnli"), answered_column("tatoeba")], rows=("none", "mnli"))
    sides = ("--submission", tmp_path / "p", "--labels", tmp_path / "l")
    first = json.loads(invoke(store, "export", NAME, *sides, "--json").stdout)
    assert [each["target"] for each in first["targets"]] == ["xnli"]
    (left,) = first["left_out"]
    assert left["target"] == "tatoeba" and "--row, one of none, mnli" in left["reason"]
    assert invoke(store, "export", NAME, *sides, "--target", "tatoeba", "--row", "mnli").exit_code == 0
    figures = scored(tmp_path)
    shown = results_of(store).language_scores
    own = shown[(shown["column"] == "tatoeba") & (shown["row"] == "mnli")]
    assert figures["tatoeba"]["accuracy"] == pytest.approx(dict(zip(own["language"], own["score"], strict=True)))
    with pytest.raises(InputError, match="xnli: the folder is not empty"):
        export_submission(NAME, store, tmp_path / "p", target="xnli")


def test_choices_in_xtreme_r(tmp_path: Path) -> None:
    store = write_study(tmp_path, [answered_column("xcopa")])
    export_submission(NAME, store, tmp_path / "p", labels=tmp_path / "l", row="none")
    lines = (tmp_path / "p" / "xcopa" / "test-et.jsonl").read_text().splitlines()
    assert set(lines) <= {'{"label": 0}', '{"label": 1}'}
    assert scored(tmp_path, "xtreme-r")["xcopa"]["accuracy"] == pytest.approx(matrix_of(store, "xcopa"), abs=1e-9)


def test_mined_pairs_are_scored_as_the_matrix_has_them(tmp_path: Path) -> None:
    store = write_study(tmp_path, [answered_column("bucc2018")])
    target = json.loads(
        invoke(
            store, "export", NAME, "--submission", tmp_path / "p", "--labels", tmp_path / "l", "--row", "none", "--json"
        ).stdout
    )["targets"][0]
    assert not target["other_measure"] and len(target["languages"]) == 4
    figures = scored(tmp_path)["bucc2018"]["f1"]
    assert figures == pytest.approx(matrix_of(store, "bucc2018"), abs=1e-9)
    assert all("\t" in line for line in (tmp_path / "p" / "bucc2018" / "test-zh.tsv").read_text().splitlines())


@pytest.mark.parametrize("name", ["lareqa", "mewslix"])
def test_rankings_in_xtreme_r(tmp_path: Path, name: str) -> None:
    store = write_study(tmp_path, [answered_column(name)])
    export_submission(NAME, store, tmp_path / "p", labels=tmp_path / "l", row="none")
    figures = scored(tmp_path, "xtreme-r")[name]["map@20"]
    assert figures == pytest.approx(matrix_of(store, name), abs=1e-9)
    ranked = json.loads((tmp_path / "p" / name / "test-ar.json").read_text())
    assert all(len(names) == 20 for names in ranked.values())


def test_an_evaluation_that_asks_to_english_is_no_submission_of_tatoeba_and_says_so() -> None:
    assert other_questions({"direction": "to_english"}) and not other_questions({"layer": 4})


def test_the_layout_is_that_of_the_golden_submission(tmp_path: Path, shared: Path) -> None:
    golden = shared / "golden" / "set1" / "predictions"
    store = write_study(tmp_path, [answered_column(name, ("en", "ru")) for name in XTREME_TASKS if name != "pawsx"])
    export_submission(NAME, store, tmp_path / "p")
    for name in set(XTREME_TASKS) - {"pawsx"}:
        ours = {path.name: path.read_text() for path in (tmp_path / "p" / name).iterdir()}
        theirs = {path.name: path.read_text() for path in (golden / name).iterdir()}
        assert ours.keys() <= theirs.keys()
        for file, text in ours.items():
            assert text.endswith("\n")
            if name in ("panx", "udpos"):
                assert text.endswith("\n\n") == theirs[file].endswith("\n\n")
            elif file.endswith(".json"):
                assert {type(answer) for answer in json.loads(text).values()} == {str}


def test_nothing_is_left_out_without_a_reason(tmp_path: Path) -> None:
    columns = [
        answered_column("xnli", ("en", "de", "qaa")),
        answered_column("xnli_again", ("en",), task="xnli"),
        answered_column("other"),
    ]
    store = write_study(tmp_path, columns, limit=9, source="toy")
    done = export_submission(NAME, store, tmp_path / "p")
    reasons = {(each.target, each.language): each.reason for each in done.left_out}
    assert reasons[("xnli", "qaa")] == "no version of XTREME asks for xnli in it"
    assert reasons[("xnli_again", None)].startswith("xnli has the same task")
    assert reasons[("other", None)] == 'neither XTREME nor XTREME-R has a task "other"'
    (target,) = done.targets
    assert "zh" in target.absent["xtreme"] and "en" not in target.absent["xtreme"]
    assert any("at most 9 examples" in caveat for caveat in target.caveats)
    assert "these are toy languages" in target.caveats
    assert {path.name for path in (tmp_path / "p" / "xnli").iterdir()} == {"test-en.tsv", "test-de.tsv"}
    with pytest.raises(InputError, match="nothing can be exported"):
        export_submission(NAME, store, tmp_path / "q", target="other")


def test_predictions_of_an_older_version(tmp_path: Path) -> None:
    store = write_study(tmp_path, [answered_column("xnli"), answered_column("panx")], truths=False)
    done = export_submission(NAME, store, tmp_path / "p")
    assert [target.task for target in done.targets] == ["xnli", "panx"]
    with pytest.raises(StudyError, match="Give the study's file instead of its name, or evaluate again"):
        export_submission(NAME, store, tmp_path / "q", labels=tmp_path / "l")
    assert not (tmp_path / "q").exists() and not (tmp_path / "l").exists()


def test_an_error_leaves_nothing_half_written(tmp_path: Path) -> None:
    spoiled = {"truth": lambda truths: ["[1]"] * len(truths)}
    store = write_study(tmp_path, [answered_column(name, ("en", "de")) for name in ("pawsx", "xquad")], spoiled=spoiled)
    with pytest.raises(InputError, match="no JSON list of texts"):
        export_submission(NAME, store, tmp_path / "p", labels=tmp_path / "l")
    assert not list(tmp_path.glob("[pl]/*"))


def test_retrieval_that_kept_no_candidates_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import tests.analysis.answered_study as studies

    kind, measure, maker = studies.TASKS["tatoeba"]

    def older(rng: Any, language: str) -> Any:
        made = maker(rng, language)
        return studies.Made(examples=made.examples, said=[str(int(row[0])) for row in made.rows], rows=made.rows)

    monkeypatch.setitem(studies.TASKS, "tatoeba", (kind, measure, older))
    store = write_study(tmp_path, [answered_column("tatoeba", ("de",)), answered_column("xnli", ("en",))])
    done = export_submission(NAME, store, tmp_path / "p", row="none")
    assert [target.target for target in done.targets] == ["xnli"]
    assert "an older version stored whether a sentence was found" in done.left_out[0].reason


def test_a_score_that_is_not_the_predictions_is_found(tmp_path: Path) -> None:
    spoiled = {"prediction": lambda said: ["neutral" if text != "neutral" else "entailment" for text in said]}
    store = write_study(tmp_path, [answered_column("xnli", ("en", "de"))], spoiled=spoiled)
    done = export_submission(NAME, store, tmp_path / "p", labels=tmp_path / "l")
    assert done.broken == ["xnli de"]
    with pytest.raises(StoreError, match="stilts rescore"):
        check_agreement(done)


def test_names_and_options_that_cannot_be_meant(tmp_path: Path) -> None:
    store = write_study(tmp_path, [answered_column("xnli", ("en",))])
    for fields in ({"target": "xnlj"}, {"row": "mnlj"}, {"target": "xnli", "row": "none", "seed": "t9"}):
        with pytest.raises(UnknownNameError):
            export_submission(NAME, store, tmp_path / "p", **fields)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="it is the submission's folder"):
        export_submission(NAME, store, tmp_path / "p", labels=tmp_path / "p")
    for words in (("--model", "m", "--submission", "s"), ("--submission", "s", "--rebuild"), ("--target", "xnli"), ()):
        assert isinstance(invoke(store, "export", NAME, *words).exception, InputError)
    model = ("--target", "xnli", "--model", tmp_path / "m", "--labels", "l")
    assert "without --submission" in str(invoke(store, "export", NAME, *model).exception)


def test_what_keeps_a_view_from_being_the_benchmarks() -> None:
    assert caveats({"limit": None, "part": "all", "dataset": "xnli", "source": "files"}, 5010) == []
    assert caveats({"limit": 5010, "part": "all"}, 5009) == []
    view = {"limit": 4, "part": "half_report", "exclude": ["x"], "dataset": "panx", "source": "files"}
    assert len(caveats(view, 4)) == 4  # type: ignore[arg-type]
    assert reason_against(answered_column("xquad")) == ""
    assert "do not hold predictions" in reason_against(replace(answered_column("xquad"), task="xnli"))
