"""Where a report may be written: beside nothing that is not a report's, and never through a link."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from stilts import whole_file
from stilts.errors import InputError
from stilts.report import report_folder
from stilts.report.files import write_report
from stilts.report.report_folder import check_folder, fill_folder
from tests.report.studies import shown

FILES = {"report.html": b"page", "cost.csv": b"1,2"}


def contents(folder: Path) -> dict[str, bytes]:
    return {each.name: each.read_bytes() for each in folder.iterdir() if each.name != "report.json"}


def test_a_report_is_written_over_an_earlier_one(tmp_path: Path) -> None:
    fill_folder(tmp_path / "out", FILES)
    fill_folder(tmp_path / "out", {"report.html": b"page 2", "forest.csv": b"3"})
    assert contents(tmp_path / "out") == {"report.html": b"page 2", "cost.csv": b"1,2", "forest.csv": b"3"}
    fill_folder(tmp_path / "out", FILES)


def test_a_link_in_the_place_of_the_page_is_not_followed(tmp_path: Path) -> None:
    fill_folder(tmp_path / "out", FILES)
    notes = tmp_path / "notes.txt"
    notes.write_bytes(FILES["report.html"])
    (tmp_path / "out" / "report.html").unlink()
    (tmp_path / "out" / "report.html").symlink_to(notes)
    with pytest.raises(InputError, match=r"report\.html \(a symbolic link\)"):
        fill_folder(tmp_path / "out", {"report.html": b"page 2"})
    assert notes.read_bytes() == FILES["report.html"]


@pytest.mark.parametrize("name", ["thesis.tex", "report.html", "report.json"])
def test_files_of_others_are_named_and_kept(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("mine")
    with pytest.raises(InputError, match=f"known to have written: {name}"):
        write_report(None, tmp_path)  # type: ignore[arg-type] (refused before the results are looked at)
    assert [(each.name, each.read_text()) for each in tmp_path.iterdir()] == [(name, "mine")]


def test_a_file_that_was_changed_since_is_the_users(tmp_path: Path) -> None:
    fill_folder(tmp_path, FILES)
    (tmp_path / "cost.csv").write_text("my own figures")
    with pytest.raises(InputError, match=r"cost\.csv \(changed since\)"):
        fill_folder(tmp_path, FILES)
    assert (tmp_path / "cost.csv").read_text() == "my own figures"


@pytest.mark.parametrize("listing", ["[" * 100_000, "[]", '{"made_by": "stilts report", "files": {"a": 1}}', "\x00"])
def test_a_listing_of_another_form_is_a_file_of_others(tmp_path: Path, listing: str) -> None:
    (tmp_path / "report.json").write_text(listing)
    with pytest.raises(InputError, match=r"report\.json"):
        check_folder(tmp_path)


def test_what_systems_and_killed_reports_leave_is_passed_over(tmp_path: Path) -> None:
    for name in (".DS_Store", "Thumbs.db", f"{whole_file.PARTIAL}0123"):
        (tmp_path / name).write_text("")
    fill_folder(tmp_path, FILES)


@pytest.mark.parametrize("writes", range(1, 4))
def test_a_killed_report_is_written_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, writes: int) -> None:
    fill_folder(tmp_path, FILES)
    left = [writes]

    def killed(path: Path, content: bytes) -> None:
        if not left[0]:
            raise KeyboardInterrupt
        left[0] -= 1
        whole_file.write_whole(path, content)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(report_folder, "write_whole", killed)
        fill_folder(tmp_path, {name: content + b"!" for name, content in FILES.items()})
    fill_folder(tmp_path, FILES)
    assert contents(tmp_path) == FILES


def test_a_place_that_is_no_folder_is_one_message(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot be written"):
        check_folder(tmp_path / "file")
    (tmp_path / "gone").symlink_to(tmp_path / "nowhere")
    with pytest.raises(InputError, match="cannot be written"):
        check_folder(tmp_path / "gone")


def test_the_listing_names_what_the_report_wrote(tmp_path: Path) -> None:
    files = write_report(shown(tmp_path / "store").results, tmp_path / "out", ["html", "csv"])
    listed = json.loads((tmp_path / "out" / "report.json").read_text())["files"]
    assert set(listed) == {file.name for file in files}
