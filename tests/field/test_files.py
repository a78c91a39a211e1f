"""Files that are not what their name says, or not whole: told by name, and what to do."""

from __future__ import annotations

import bz2
import gzip
import lzma
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.field.brought import (
    BIO,
    NLI,
    brought,
    counts,
    json_lines,
    pair_lines,
    question_records,
    refused,
    split_files,
    squad_document,
    tagged_lines,
    taken,
    texts,
)

PACK: dict[str, Callable[[bytes], bytes]] = {".gz": gzip.compress, ".bz2": bz2.compress, ".xz": lzma.compress}
TSV = pair_lines(texts("test", "de"))


def packed(ending: str, content: Callable[[list[str]], str] = pair_lines) -> dict[str, str | bytes]:
    return split_files(lambda sentences: PACK[ending](content(sentences).encode()), ending=f".x{ending}")


def paths(ending: str) -> dict[str, str]:
    return {"train": f"train-{{lang}}{ending}", "test": f"test-{{lang}}{ending}"}


def as_brought(folder: Path, content: str | bytes, **declared: Any) -> Path:
    """A study whose German test file has that content."""
    return brought(folder, split_files(pair_lines) | {"test-de": content}, **declared)


READERS: dict[str, tuple[Callable[[list[str]], str], dict[str, Any]]] = {
    "pair_tsv": (pair_lines, {}),
    "pair_jsonl": (json_lines, {}),
    "bio_tsv": (tagged_lines, {"kind": "tagging", "metric": "span_f1", "labels": BIO}),
    "squad_json": (
        lambda sentences: squad_document(question_records(sentences)),
        {"kind": "span_qa", "metric": "squad", "labels": []},
    ),
}


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("ending", PACK)
def test_packed_files_are_read_by_their_name(tmp_path: Path, ending: str, reader: str) -> None:
    content, declared = READERS[reader]
    study = brought(tmp_path, packed(ending, content), reader=reader, paths=paths(f".x{ending}"), **declared)
    assert counts(taken(study)) == {"en": 12, "de": 12}


def test_the_name_may_be_in_capitals(tmp_path: Path) -> None:
    study = brought(
        tmp_path,
        {f"{name}.GZ": gzip.compress(str(text).encode()) for name, text in split_files(pair_lines).items()},
        paths=paths(".GZ"),
    )
    assert counts(taken(study)) == {"en": 12, "de": 12}


def test_two_packed_parts_are_one_file(tmp_path: Path) -> None:
    files = packed(".gz")
    files["test-de.x.gz"] = gzip.compress(TSV[:200].encode()) + gzip.compress(TSV[200:].encode())
    assert counts(taken(brought(tmp_path, files, paths=paths(".x.gz"))))["de"] == 12


@pytest.mark.parametrize("ending", PACK)
def test_a_packed_file_that_was_cut_short_is_told(tmp_path: Path, ending: str) -> None:
    files = packed(ending)
    whole = files[f"test-de.x{ending}"]
    files[f"test-de.x{ending}"] = whole[: len(whole) // 2]
    refused(brought(tmp_path, files, paths=paths(f".x{ending}")), f"test-de.x{ending}", "cannot be unpacked", "again")


@pytest.mark.parametrize("ending", PACK)
def test_a_file_that_only_is_called_packed_is_told(tmp_path: Path, ending: str) -> None:
    files = packed(ending) | {f"test-de.x{ending}": TSV}
    refused(brought(tmp_path, files, paths=paths(f".x{ending}")), f"test-de.x{ending}", "cannot be unpacked")


NO_TEXT: dict[str, tuple[bytes, str, str]] = {
    "gzip": (gzip.compress(TSV.encode()), "packed by gzip, and its name does not say so", ".gz"),
    "bzip2": (bz2.compress(TSV.encode()), "packed by bzip2", ".bz2"),
    "xz": (lzma.compress(TSV.encode()), "packed by xz", ".xz"),
    "zip": (b"PK\x03\x04\x14\x00\x00\x00\x08\x00", "zip archive", "Unpack it"),
    "parquet": (b"PAR1\x15\x04\x15\x00PAR1", "Parquet", "JSON lines"),
    "lfs": (
        b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a214614ab2935\nsize 12345\n",
        "pointer of Git LFS",
        "git lfs pull",
    ),
    "utf16": (TSV.encode("utf-16"), "it is UTF-16", "iconv"),
    "utf16be": (b"\xfe\xff" + TSV.encode("utf-16-be"), "it is UTF-16", "iconv"),
    "utf16_no_mark": (TSV.encode("utf-16-le"), "UTF-16 without its mark", "iconv -f UTF-16LE"),
    "utf16be_no_mark": (TSV.encode("utf-16-be"), "UTF-16 without its mark", "iconv -f UTF-16BE"),
    "utf32": (TSV.encode("utf-32"), "it is UTF-32", "iconv -f UTF-32 "),
    "utf32be": (b"\x00\x00\xfe\xff" + TSV.encode("utf-32-be"), "it is UTF-32", "iconv -f UTF-32 "),
    "utf32_no_mark": (TSV.encode("utf-32-le"), "UTF-32 without its mark", "iconv -f UTF-32LE"),
    "utf32be_no_mark": (TSV.encode("utf-32-be"), "UTF-32 without its mark", "iconv -f UTF-32BE"),
    "html": (b"<!DOCTYPE html>\n<html><body>404</body></html>\n", "a web page", "Download"),
    "html_small": (b"<!doctype HTML>\n<html>", "a web page", "Download"),
    "html_bare": (b"<HTML lang='en'><head>", "a web page", "Download"),
    "html_indented": (b"\n\n  <!DOCTYPE html>\n<html>", "a web page", "Download"),
    "html_marked": (b"\xef\xbb\xbf<!DOCTYPE html>\n<html>", "a web page", "Download"),
    "old_mac": (TSV.replace("\n", "\r").encode(), "old Mac", "tr"),
    "latin1": (TSV.replace("lamp", "L\u00e4mpchen").encode("latin-1"), "byte 0xe4", "UTF-8"),
    "pdf": (b"%PDF-1.5\n%\xd0\xd4\xc5\xd8\n", "test-de", "line"),
    "zeros": (b"\0" * 100, "null", "test-de"),
    "empty": (b"", "the file is empty", "again"),
}


@pytest.mark.parametrize("what", NO_TEXT)
def test_what_is_no_text_is_called_what_it_is(tmp_path: Path, what: str) -> None:
    content, found, step = NO_TEXT[what]
    refused(as_brought(tmp_path, content), "test-de", found, step)


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("what", ["gzip", "lfs", "utf16", "html", "old_mac"])
def test_every_reader_says_so(tmp_path: Path, reader: str, what: str) -> None:
    content, declared = READERS[reader]
    files = split_files(content) | {"test-de": NO_TEXT[what][0]}
    if what == "old_mac":
        files["test-de"] = (content(texts("test", "de")).replace("\n", "\r") + "\r").encode()
    refused(brought(tmp_path, files, reader=reader, **declared), "test-de", NO_TEXT[what][1])


@pytest.mark.parametrize(
    ("old", "new"), [("\n", "\r\n"), ("train en the lamp number 0 ", "\ufefftrain en the lamp number 0 ")]
)
def test_other_line_ends_and_a_mark_at_the_beginning_change_nothing(tmp_path: Path, old: str, new: str) -> None:
    files = split_files(pair_lines)
    plain = taken(brought(tmp_path / "plain", files))
    other = taken(brought(tmp_path / "other", {name: str(text).replace(old, new) for name, text in files.items()}))
    assert plain["views"] == other["views"] and plain["decoded"] == other["decoded"]


@pytest.mark.parametrize("line", ["", "   ", "\t\t"])
def test_an_empty_line_of_columns_is_told_by_its_number(tmp_path: Path, line: str) -> None:
    rows = TSV.splitlines()
    refused(as_brought(tmp_path, "\n".join([*rows[:5], line, *rows[5:]]) + "\n"), "test-de", "line 6")


def test_an_empty_line_at_the_end_is_told(tmp_path: Path) -> None:
    refused(as_brought(tmp_path, TSV + "\n"), "test-de", "line 13", "the line is empty")


def test_empty_lines_part_sentences_and_objects(tmp_path: Path) -> None:
    """However many there are, blanks in them or not."""
    for reader in ("pair_jsonl", "bio_tsv"):
        content, declared = READERS[reader]
        files = {name: f"\n\n{text!s}\n \n\n" for name, text in split_files(content).items()}
        assert counts(taken(brought(tmp_path / reader, files, reader=reader, **declared))) == {"en": 12, "de": 12}


@pytest.mark.parametrize("number", [131_073, 140_000])
def test_a_long_field_of_a_csv_is_read(tmp_path: Path, number: int) -> None:
    def written(sentences: list[str]) -> str:
        rows = [f"{text},a thing is red,{NLI[i % 3]}\n" for i, text in enumerate(sentences)]
        rows[2] = rows[2].replace(" number", " " + "word " * (number // 5) + "number")
        return "premise,hypothesis,label\n" + "".join(rows)

    assert counts(taken(brought(tmp_path, split_files(written), reader="nli_csv"))) == {"en": 12, "de": 12}


def test_an_open_quote_is_told_where_it_begins(tmp_path: Path) -> None:
    def written(sentences: list[str]) -> str:
        return "premise,hypothesis,label\n" + "".join(f"{text},red,neutral\n" for text in sentences)

    files = split_files(written)
    files["test-de"] = str(files["test-de"]).replace("test de the table", '"test de the table', 1)
    refused(brought(tmp_path, files, reader="nli_csv"), "test-de, line 4", "broken CSV", "quote")


def test_a_file_cut_in_its_last_line_is_told(tmp_path: Path) -> None:
    refused(as_brought(tmp_path, TSV[: TSV.rindex("\t")]), "test-de, line 12", "2 tab-separated columns")
    files = split_files(json_lines)
    files["test-de"] = str(files["test-de"])[:-30]
    refused(brought(tmp_path / "json", files, reader="pair_jsonl"), "test-de, line 12", "not JSON")
