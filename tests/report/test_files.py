import json
import shutil
import subprocess
from io import BytesIO, StringIO
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

from stilts.app import results
from stilts.report.files import FORMATS, PAGE, report_files, write_report
from stilts.report.latex import latex_matrix, latex_text
from tests.report.studies import Shown, searched, shown


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Shown:
    return searched(tmp_path_factory.mktemp("store"))


def test_every_picture_has_svg_png_and_its_data(study: Shown, tmp_path: Path) -> None:
    files = write_report(study.results, tmp_path / "new" / "folder")
    names = {file.name for file in files}
    assert {path.name for path in (tmp_path / "new" / "folder").iterdir()} == names | {"report.json"}
    pictures = {file.name.removesuffix(".svg") for file in files if file.kind == "svg"}
    assert {"heatmap", "forest", "languages", "language_lens", "search_history", "mixtures", "cost"} == pictures
    assert all({f"{name}.png", f"{name}.csv"} <= names for name in pictures)
    assert files[0].name == PAGE and "matrix.tex" in names
    for file in files:
        if file.kind == "csv":
            assert len(pd.read_csv(BytesIO(file.content))) > 0, file.name


def test_only_what_is_asked_for_is_made(study: Shown) -> None:
    assert [file.name for file in report_files(study.results, ["html"])] == [PAGE]
    assert {file.kind for file in report_files(study.results, ["svg", "csv"])} == {"svg", "csv"}


def test_the_same_results_give_the_same_bytes(study: Shown) -> None:
    again = type(study.results)(record=study.record, store=study.results.store, draws=50)
    assert report_files(study.results) == report_files(again)


def test_the_table_is_latex_with_names_escaped(tmp_path: Path) -> None:
    made = shown(tmp_path)
    written = latex_matrix(made.results)
    assert r"\textbf{69.0}" in written and r"63.0$^\dagger$" in written
    assert r"a\textbar{}\textless{}b\textgreater{}\&\_c\_" in written
    assert r"\emph{missing}" in written and r"$\ast$: some replicates are not done" in written
    assert r"+9.0 \pm" in written
    rows = [line for line in written.splitlines() if line.endswith((r"\\", r"\\[2pt]"))]
    assert {line.replace(r"\&", "").count("&") for line in rows} == {5}, "3 targets and 2 means"


def test_every_special_character_is_literal() -> None:
    assert latex_text(r"\{}$&#%_~^") == (r"\textbackslash{}\{\}\$\&\#\%\_\textasciitilde{}\textasciicircum{}")


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="pdflatex is not installed")
def test_the_table_compiles(tmp_path: Path) -> None:
    table = latex_matrix(shown(tmp_path / "store").results)
    source = "\\documentclass{article}\\usepackage{booktabs}\\begin{document}\n" + table + "\\end{document}\n"
    (tmp_path / "paper.tex").write_text(source)
    subprocess.run(["pdflatex", "-halt-on-error", "paper.tex"], cwd=tmp_path, check=True, capture_output=True)


@pytest.fixture
def command(study: Shown, monkeypatch: pytest.MonkeyPatch):  # type: ignore[no-untyped-def]
    from stilts.cli.main import app

    monkeypatch.setattr(results, "open_store_at", lambda given: study.results.store)
    monkeypatch.setattr(results, "load_record", lambda name, store: study.record)
    return lambda *words: CliRunner().invoke(app, ["report", "study", *words], catch_exceptions=False)


def test_the_verb_writes_into_a_folder_and_says_where(command, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    done = command("--out", str(tmp_path / "out"), "--json")
    value = json.loads(done.stdout)
    assert Path(value["page"]).is_file() and value["study"] == "study"
    assert {file["kind"] for file in value["files"]} == set(FORMATS)
    assert all(Path(file["path"]).is_file() for file in value["files"])


def test_latex_goes_to_standard_output(command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.chdir(tmp_path)
    done = command("--latex")
    assert StringIO(done.stdout).readline().startswith("% needs")
    assert not list(tmp_path.iterdir())
