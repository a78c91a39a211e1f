"""A study file that names several encoders: each makes a study of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from stilts.errors import StudyError
from stilts.study.overlay import StudyFiles
from stilts.study.study import Study

TEXT = """
name: scale
encoders:
  mini: {encoder: {path: ../mini}}
  large: {encoder: {hub: some/large, revision: main}, defaults: {target: {learning_rate: 1e-5}}, resources: {gpus: 1}}
data: {source: hub}
defaults: {target: {steps: 10, learning_rate: 5e-4}}
intermediates: {none: , mnli: }
targets: {xnli: }
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    (tmp_path / "scale.yaml").write_text(TEXT)
    return tmp_path / "scale.yaml"


def test_each_encoder_makes_a_study_with_what_differs(path: Path) -> None:
    mini, large = (Study.load(path, encoder=name) for name in ("mini", "large"))
    assert (mini.name, large.name) == ("scale.mini", "scale.large")
    assert mini.siblings == large.siblings == ("scale.mini", "scale.large")
    assert (mini.file.encoder.path, large.file.encoder.hub) == ("../mini", "some/large")
    assert mini.file.defaults.target.learning_rate == 5e-4
    assert large.file.defaults.target.learning_rate == 1e-5 and large.file.defaults.target.steps == 10
    assert large.file.resources.gpus == 1 and "encoders" not in large.text and "name: scale.large" in large.text


def test_overlays_may_bring_or_change_encoders_and_their_paths_are_their_own(path: Path) -> None:
    over = path.parent / "mini" / "over.yaml"
    over.parent.mkdir()
    over.write_text("name: little\nencoders: {large: remove, small: {encoder: {path: here}}}\n")
    files = StudyFiles.of(str(path), [over])
    assert files.encoders == ("mini", "small")
    study = Study.load(StudyFiles.of(str(path), [over], "small"))
    assert (study.name, study.file.encoder.path) == ("little.small", "mini/here")
    assert f"{StudyFiles.of(str(path), [over], 'small')}" == f"{path} --with {over} --encoder small"


@pytest.mark.parametrize(
    ("text", "encoder", "said"),
    [
        (TEXT, None, "Choose one with --encoder: mini, large"),
        (TEXT, "xxl", "it has no encoder xxl"),
        (TEXT.replace("encoders:", "encoders: []\nother:").replace("other:\n", "x:\n"), "mini", "mapping of names"),
        (TEXT.replace("encoder: {path: ../mini}", "resources: {cpus: 1}"), "mini", "what differs by encoder"),
    ],
)
def test_what_cannot_be_meant_is_said(path: Path, text: str, encoder: str | None, said: str) -> None:
    path.write_text(text)
    with pytest.raises(StudyError, match="encoder") as raised:
        Study.load(path, encoder=encoder)
    assert said in str(raised.value)


def test_they_stand_in_place_of_an_encoder_below(path: Path) -> None:
    path.write_text(TEXT.replace("data:", "encoder: {toy: true}\ndata:"))
    assert Study.load(path, encoder="mini").file.encoder.given() == {"path": "../mini"}


def test_a_file_with_one_encoder_has_none_to_choose(path: Path) -> None:
    path.write_text(
        TEXT.replace("encoders:", "x:").partition("x:")[0] + "encoder: {toy: true}\n" + TEXT[TEXT.index("data:") :]
    )
    assert Study.load(path).siblings == ()
    with pytest.raises(StudyError, match="Leave --encoder out"):
        Study.load(path, encoder="mini")


def test_what_an_overlay_says_of_an_encoder_keeps_its_marks_for_what_lies_below(path: Path) -> None:
    over = path.parent / "over.yaml"
    over.write_text(
        "encoders:\n"
        "  large: {targets: {_: only, panx: }, defaults: remove}\n"
        "  small: {encoder: {toy: true}, targets: {_: only, panx: }}\n"
    )
    path.write_text(TEXT.replace("{xnli: }", "{xnli: , panx: }"))

    large, small = (Study.load(StudyFiles.of(str(path), [over], name)) for name in ("large", "small"))
    assert list(large.columns) == list(small.columns) == ["panx"]
    assert large.file.defaults.target.steps is None and small.file.defaults.target.steps == 10
    assert list(Study.load(StudyFiles.of(str(path), [over], "mini")).columns) == ["xnli", "panx"]
