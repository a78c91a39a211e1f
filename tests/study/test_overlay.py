"""One study file laid over another: what stands, where paths lead, what was changed, and who is named in errors."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from stilts.errors import InputError, StudyError
from stilts.study.overlay import PATHS, Layer, StudyFiles, laid_over
from stilts.study.planning import make_plan
from stilts.study.schema import Data, Encoder, StudyFile
from stilts.study.study import Study
from stilts.tasks.bounded_yaml import parsed_yaml
from tests.study.toy_study import resolved, study_fields

BASE = """
name: paper
encoder: {hub: some/encoder, revision: main}
data: {source: hub, root: ../data}
defaults: {intermediate: {steps: 3000, learning_rate: 1e-5}, target: {steps: 2000}}
intermediates:
  none:
  mnli: {task: mnli, train: {limit: 100}}
  squad:
targets: {xnli: {languages: [en, de, sw]}, udpos: , panx: }
"""


def laid(tmp_path: Path, *overlays: str, base: str = BASE) -> Study:
    (tmp_path / "paper.yaml").write_text(base)
    paths = [tmp_path / "mini" / f"{number}.yaml" for number in range(len(overlays))]
    for path, text in zip(paths, overlays, strict=True):
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    return Study.load(tmp_path / "paper.yaml", paths)


def test_mappings_are_laid_key_by_key_and_all_else_replaces(tmp_path: Path) -> None:
    study = laid(
        tmp_path,
        "name: mini\ndefaults: {target: {steps: 20}}\ntargets: {xnli: {languages: [en]}, udpos: }\n",
        "defaults: {intermediate: {steps: 10}}\nintermediates: {mnli: }",
    )

    assert study.name == "mini"
    assert (study.file.defaults.target.steps, study.file.defaults.intermediate.steps) == (20, 10)
    assert study.file.defaults.intermediate.learning_rate == 1e-5
    assert study.columns["xnli"].languages == ("en",)
    assert study.rows["mnli"].train.limit == 100, "an empty value lays nothing over a mapping"
    assert list(study.columns) == ["xnli", "udpos", "panx"]


def test_a_key_is_taken_out_and_only_keeps_those_beside_it(tmp_path: Path) -> None:
    study = laid(
        tmp_path,
        "encoder: {_: only, path: e5}\nintermediates: {squad: remove}\n"
        "targets: {_: only, xnli: , new: {task: tatoeba}}\n",
    )

    assert study.file.encoder.given() == {"path": "mini/e5"}
    assert list(study.columns) == ["xnli", "new"]
    assert study.columns["xnli"].languages == ("en", "de", "sw")
    assert list(study.rows) == ["none", "mnli"]
    told = {(one.key, one.before, one.after) for one in study.changes}
    assert told == {
        ("encoder.hub", "some/encoder", ""),
        ("encoder.revision", "main", ""),
        ("encoder.path", "", "mini/e5"),
        ("targets.udpos", "null", ""),
        ("targets.panx", "null", ""),
        ("targets.new", "", "{task: tatoeba}"),
        ("intermediates.squad", "null", ""),
    }


def test_what_is_the_same_is_no_change(tmp_path: Path) -> None:
    assert laid(tmp_path, "name: paper\ndefaults: {target: {steps: 2000}}\ntargets: {udpos: }").changes == ()


def test_paths_are_relative_to_the_file_in_which_they_stand(tmp_path: Path) -> None:
    study = laid(
        tmp_path,
        "data: {root: own, text_root: '${TEXT}/x'}\ntasks: my.yaml\n"
        "policy: {name: select, priors: [before.csv, smaller_study]}\nencoder: {_: only, path: /abs/e5}",
    )

    assert study.file.data.root == "mini/own"
    assert study.file.data.text_root == "${TEXT}/x"
    assert study.file.tasks == "mini/my.yaml"
    assert study.file.policy.priors == ("mini/before.csv", "smaller_study")
    assert study.file.encoder.path == "/abs/e5"
    assert laid(tmp_path, "name: b").file.data.root == "../data"


def test_every_path_of_the_schema_is_known() -> None:
    texts: set[tuple[str, ...]] = {("encoder", name) for name in Encoder.model_fields if name != "toy"}
    texts |= {("data", name) for name in Data.model_fields if name.endswith("root")}
    texts.update({(name,) for name in StudyFile.model_fields if name == "tasks"}, {("policy", "priors")})
    assert texts - {("encoder", "hub"), ("encoder", "revision")} == set(PATHS)


def test_the_text_of_the_result_says_the_same(tmp_path: Path) -> None:
    study = laid(tmp_path, "defaults: {target: {steps: 20}}\ntargets: {xnli: {languages: ['no', 'on']}}")

    again = Study.parse(study.text, study.path)

    assert again.file == study.file
    assert study.text.startswith("# paper.yaml with 0.yaml\n")
    assert laid(tmp_path).text == BASE


def test_ids_are_those_of_the_result(folder: Path, tmp_path: Path) -> None:
    plain = resolved(
        folder, defaults={"intermediate": {"steps": 7}, "target": {"steps": 10}, "encoding": {"max_length": 64}}
    )
    fields: dict[str, Any] = study_fields()
    base = Layer(path=folder / "a.yaml", text=json.dumps(fields))
    over = Layer(path=folder / "b.yaml", text="defaults: {intermediate: {steps: 7}, encoding: {max_length: 64}}")
    values, _ = laid_over(base, [over])

    merged = resolved(folder, **dict(values))

    assert set(make_plan(merged).stages) == set(make_plan(plain).stages)


@pytest.mark.parametrize(
    ("overlay", "place", "found"),
    [
        ("name: x\ntargets:\n  xnli:\n    langages: [en]\n", "0.yaml, line 4: targets.xnli.langages", "no field"),
        ("name: x\n\ndefaults: {target: {steps: -1}}\n", "0.yaml, line 3: defaults.target.steps", "found -1"),
        ("name: x\nencoder: {hub: remove, revision: remove}", "0.yaml, line 2: encoder", "exactly one"),
        ("targets:\n  xnil: remove", "0.yaml, line 2: targets.xnil", "not there"),
        ("targets:\n  _: other\n", "0.yaml, line 2: targets._", '"other"'),
        ("replicates:\n  cells: [{rows: [nobody], count: 2}]", "0.yaml, line 2: replicates.cells[0].rows", "nobody"),
        ("name: remove", "0.yaml, line 1: name", "missing"),
        ("- a list", "0.yaml", "no mapping"),
    ],
)
def test_errors_name_the_file_and_the_line(tmp_path: Path, overlay: str, place: str, found: str) -> None:
    with pytest.raises(InputError) as caught:
        laid(tmp_path, overlay)

    assert f"mini/{place}" in str(caught.value)
    assert found in str(caught.value)


def test_a_fault_of_the_file_below_names_that_file(tmp_path: Path) -> None:
    with pytest.raises(StudyError, match=r"paper\.yaml, line 5: defaults\.target\.steps"):
        laid(tmp_path, "name: x", base=BASE.replace("target: {steps: 2000}", "target: {steps: 0}"))


def test_study_files_read_as_they_are_typed(tmp_path: Path) -> None:
    laid(tmp_path, "name: mini")
    study = StudyFiles.of(str(tmp_path / "paper.yaml"), [str(tmp_path / "mini" / "0.yaml")])

    assert Study.load(study).name == "mini"
    assert f"stilts run {study}" == f"stilts run {tmp_path}/paper.yaml --with {tmp_path}/mini/0.yaml"
    assert Path(study) == tmp_path / "paper.yaml"


def test_aliases_are_merged_as_what_they_name(tmp_path: Path) -> None:
    values = parsed_yaml("a: &x {k: 1}\nb: *x", tmp_path, begins="a:")
    base = Layer(path=tmp_path / "a", text="a: {k: 0}\nb: {k: 0}")
    made, changes = laid_over(base, [Layer(path=tmp_path / "b", text="a: &x {k: 1}\nb: *x")])

    assert made == values
    assert [one.key for one in changes] == ["a.k", "b.k"]


def test_a_file_of_the_current_folder_is_one_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    laid(tmp_path, "name: mini\n")
    monkeypatch.chdir(tmp_path)
    files = StudyFiles.of("paper.yaml", ["mini/0.yaml"])
    assert Path(files).suffix == ".yaml" and Study.load(files).name == "mini"
