"""One study with a column of every kind, on toy data: every verb works on it, and a language more costs only itself."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from stilts.cli.main import app
from tests.e2e.studies import opened, stilts, tiny_study

pytestmark = pytest.mark.slow
NAME = "every"
# Columns with English beside others, and those that no English is evaluated in.
WITH_ENGLISH = (
    *("xnli", "udpos", "udpos_f1", "panx", "xquad", "mlqa", "multieurlex", "lareqa", "mewslix"),
    "likeness",
)
FOREIGN = ("xcopa", "xcopa_siqa", "tatoeba", "bucc2018", "masked_lm")
# A pair of MLQA has no stand-in, as its languages are real: questions in English on files written here.
PAIR, ANSWERABLE_OR_NOT = "mlqa_question_en", "subjqa_restaurants"
COLUMNS = (*WITH_ENGLISH, *FOREIGN, PAIR, ANSWERABLE_OR_NOT)
OWN = """datasets:
  likeness:
    languages: {test: [en, qaa, qab]}
    toy: {generator: similarity, sizes: {test: 60}, options: {variant: likeness}}
    licence: none
    domain: toy
tasks:
  likeness:
    kind: regression
    metric: pearson
    labels: ["0", "5"]
    train: {dataset: stsb, split: train}
    dev: {dataset: stsb, split: dev}
    test: {dataset: likeness, split: test}
"""


def targets(*, more: bool) -> dict[str, Any]:
    """The columns in their first languages, or in one language more each; SubjQA is English only."""
    spoken = {
        **{column: ["en", "qaa", "qab"] for column in WITH_ENGLISH},
        **{column: ["qaa", "qab", "qac"] for column in FOREIGN},
        PAIR: ["de", "es"],
    }
    first = {column: {"languages": found if more else found[:-1]} for column, found in spoken.items()}
    return {**first, ANSWERABLE_OR_NOT: {"languages": ["en"]}}


def write_pair(folder: Path) -> None:
    """Questions in English on contexts in two languages, as MLQA's files are."""
    place = folder / "mlqa" / "dev"
    place.mkdir(parents=True)
    for code in ("de", "es"):
        contexts = [f"Lena can see the cat number {number} in the {code} garden ." for number in range(24)]
        data = [
            {
                "title": f"t{number}",
                "paragraphs": [
                    {
                        "context": context,
                        "qas": [
                            {
                                "id": f"q{number}",
                                "question": f"what can Lena see near {number} ?",
                                "answers": [{"text": "the cat", "answer_start": context.index("the cat")}],
                            }
                        ],
                    }
                ],
            }
            for number, context in enumerate(contexts)
        ]
        (place / f"dev-context-{code}-question-en.json").write_text(json.dumps({"version": "1.0", "data": data}))


class EveryKind:
    """A folder with the study, and its verbs."""

    def __init__(self, folder: Path, selection: str) -> None:
        self.folder, self.selection = folder, selection
        folder.mkdir(parents=True, exist_ok=True)
        write_pair(folder)
        (folder / "own.yaml").write_text(OWN)
        self.write(more=False)

    def write(self, *, more: bool) -> None:
        """Writes the study's file, with or without the further languages."""
        tiny_study(
            self.folder,
            name=NAME,
            selection=self.selection,
            tasks="own.yaml",
            data={"source": "toy", "root": ".", "sources": {PAIR: "files"}},
            intermediates={"none": None, "squad_v2": None},
            targets=targets(more=more),
            defaults={
                "intermediate": {"steps": 4, "learning_rate": 1e-3, "limit": 32},
                "target": {"steps": 4, "learning_rate": 1e-3, "limit": 32},
                "encoding": {"max_length": 96, "batch_size": 8, "layer": 1},
                "limits": {"select": 8, "report": 8},
            },
        )

    @property
    def path(self) -> Path:
        """The study's file."""
        return self.folder / f"{NAME}.yaml"

    def value(self, *words: object, store: bool = True) -> Any:
        """What a verb prints as JSON; in this process, as a dozen of them would spend their time on imports."""
        where = ("--store", self.folder / "store") if store else ()
        done = CliRunner().invoke(app, [*map(str, (*words, *where)), "--json"], catch_exceptions=False)
        assert done.exit_code == 0, (words, done.output)
        return json.loads(done.stdout)

    def alone(self, *words: object) -> None:
        """A verb in a process of its own, with MLflow in the folder; it must end well."""
        where = ("--store", "store", "--tracking-uri", "sqlite:///mlflow.db")
        done = stilts(*words, *where, cwd=self.folder)
        assert done.returncode == 0, (words, done.stderr)

    def run(self) -> None:
        """The study, by one process; its weights stay."""
        self.alone("run", self.path.name, "--local", "--keep-weights")

    def scores(self) -> dict[tuple[str, str], float]:
        """The matrix' scores of all rows by column and language."""
        found: dict[tuple[str, str], float] = {}
        for line in self.value("matrix", NAME)["languages"]:
            found[f"{line['row']}>{line['column']}", line["language"]] = line["score"]
        return found

    def results(self) -> dict[str, Any]:
        """When each evaluation began, by its key."""
        store = opened(self.folder / "store")
        return {key: store.result(key)["started"] for key in store.done() if "/" in key}


@pytest.fixture(scope="module", params=["english_dev", "target_dev"])
def study(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> EveryKind:
    made = EveryKind(tmp_path_factory.mktemp("every") / request.param, request.param)
    made.run()
    return made


def test_validate_shows_every_kind_and_every_use(study: EveryKind) -> None:
    value = study.value("validate", study.path, store=False)
    kinds = {line["kind"] for line in value["decoded"]}
    assert kinds == {
        *("classification", "tagging", "span_qa", "multiple_choice", "regression", "multi_label", "retrieval"),
        "masked_lm",
    }
    uses = {(view["of"], view["use"]) for view in value["views"]}
    assert {("lareqa", "pool"), ("mewslix", "pool")} <= uses, "candidates are read as well"
    by_threshold = "select" if study.selection == "target_dev" else "threshold"
    assert ("bucc2018", by_threshold) in uses
    assert {"socialiqa"} <= set(value["truncated"]), "what a target is learned after is read as well"


def test_every_cell_is_scored_and_every_score_comes_out_again(study: EveryKind) -> None:
    scores = study.scores()
    expected = {
        (f"{row}>{column}", language)
        for row in ("none", "squad_v2")
        for column, fields in targets(more=False).items()
        for language in fields["languages"]
    }
    assert expected <= scores.keys()
    value = study.value("rescore", NAME)
    assert value["agrees"] and value["differences"] == []


def test_best_answers_for_every_column(study: EveryKind) -> None:
    answers = {answer["target"]: answer for answer in study.value("best", NAME)["answers"]}
    assert set(answers) == set(COLUMNS) - {"masked_lm"}


def test_report_export_track_and_plan_take_every_kind(study: EveryKind) -> None:
    study.value("report", NAME, "--out", study.folder / "page")
    page = (study.folder / "page" / "report.html").read_text()
    assert all(column in page for column in COLUMNS)
    exported = study.value(
        "export", NAME, "--submission", study.folder / "p", "--labels", study.folder / "l", "--row", "none"
    )
    assert {"xnli", "panx", "udpos_f1", "xquad", "mlqa", "lareqa", "mewslix"} <= {
        each["target"] for each in exported["targets"]
    }
    assert (study.folder / "p" / "xnli" / "test-en.tsv").is_file()
    study.alone("track", "--rebuild")
    cost = study.value("plan", study.path)["cost"]
    assert cost["to_run"] == 0


def test_a_language_more_evaluates_only_itself_and_the_pools_that_it_joins(study: EveryKind) -> None:
    before, scores = study.results(), study.scores()
    study.write(more=True)
    study.run()
    after = study.results()
    assert {key: after[key] for key in before} == before, "nothing is done again"
    new: dict[str, set[str]] = {}
    for stage, output in (key.split("/") for key in after.keys() - before.keys()):
        new.setdefault(stage.rpartition("-")[0].removeprefix("evaluate-"), set()).add(output.rpartition("-")[0])
    assert set(new) == set(COLUMNS) - {ANSWERABLE_OR_NOT}
    for column, outputs in new.items():
        fresh = {output for output in outputs if output.startswith("report.")}
        added = targets(more=True)[column]["languages"][-1]
        # LAReQA's queries ask a pool that now holds sentences in one language more.
        whole = {f"report.{code}" for code in targets(more=True)[column]["languages"]}
        assert fresh == (whole if column == "lareqa" else {f"report.{added}"}), column
    kept = {where: score for where, score in scores.items() if not where[0].endswith(">lareqa")}
    assert {where: study.scores()[where] for where in kept} == kept
    assert study.value("rescore", NAME)["agrees"]
