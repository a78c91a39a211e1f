"""YAML of users: what is meant is read, aliases too; what unfolds to too much is one message, in time."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stilts.errors import StudyError
from stilts.tasks import bounded_yaml
from stilts.tasks.bounded_text import MOST_BYTES
from stilts.tasks.bounded_yaml import DEEPEST, parsed_yaml, yaml_text

PATH = Path("study.yaml")
NINES = ",".join(["*{0}"] * 9)
BOMB = "top: [&a [x,x,x,x,x,x,x,x,x]" + "".join(
    f", &{after} [{NINES.format(before)}]" for before, after in zip("abcdefgh", "bcdefghi", strict=True)
)


def parsed(text: str) -> Any:
    return parsed_yaml(text, PATH, begins="name: my_study")


def refused(text: str) -> str:
    """The message, which must come in time."""
    started = time.monotonic()
    with pytest.raises(StudyError) as caught:
        parsed(text)
    assert time.monotonic() - started < 20 and len(str(caught.value)) < 500
    return str(caught.value)


def test_anchors_aliases_and_merges_stay_allowed() -> None:
    text = "base: &base {a: 1, b: [x, y]}\nmore: {<<: *base, b: 2}\nlist: [*base, *base]\nagain: *base\n"
    found = parsed(text)
    assert found["more"] == {"a": 1, "b": 2} and found["list"] == [found["base"]] * 2 == [found["again"]] * 2
    assert parsed("a: &x 1\nb: *x\nc: &x 2\nd: *x\n") == {"a": 1, "b": 1, "c": 2, "d": 2}, "an anchor may move"


def test_a_bomb_of_aliases_is_refused_with_its_line() -> None:
    assert "study.yaml, line 2: with its aliases written out it holds more than 100,000 values" in refused(
        f"name: bomb\n{BOMB}]"
    )


def test_a_bomb_of_merges_is_refused() -> None:
    rows = ["m0: &m0 {a: 1, b: 2}"]
    rows += [f"m{n}: &m{n} {{<<: [{', '.join([f'*m{n - 1}'] * 9)}], k{n}: 1}}" for n in range(1, 30)]
    assert "with its aliases written out" in refused("\n".join(rows))


def test_one_long_text_may_not_be_repeated_without_end() -> None:
    assert "16,777,216 characters" in refused(f"a: &a {'x' * 1_000_000}\nb: [{', '.join(['*a'] * 20)}]\n")


def test_an_alias_within_what_it_names_is_refused() -> None:
    assert 'study.yaml, line 1: the alias "a" stands within what it names' in refused("name: &a [1, [*a]]")
    assert "stands within" in refused("name: &a {b: {<<: *a}}")


@pytest.mark.parametrize("form", ["[", "{a: ", "- ", "? "])
def test_deep_nesting_is_refused(form: str) -> None:
    assert f"line 2: it is nested more than {DEEPEST} deep" in refused("top:\n " + form * 900)


def test_aliases_may_not_nest_deeper_than_what_is_written() -> None:
    chain = "".join(f"a{n}: &a{n} [*a{n - 1}]\n" for n in range(1, DEEPEST + 10))
    assert "nested more than" in refused("a0: &a0 x\n" + chain)
    short = "".join(f"a{n}: &a{n} [*a{n - 1}]\n" for n in range(1, DEEPEST - 1))
    assert parsed("a0: &a0 x\n" + short)["a2"] == [["x"]]


def test_as_many_values_as_the_bound_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounded_yaml, "MOST_VALUES", 100)
    assert len(parsed(f"a: [{', '.join('x' * 97)}]")["a"]) == 97, "with the mapping, its key and the list 100"
    assert "more than 100 values" in refused(f"a: [{', '.join('x' * 98)}]")


JSON_LIKE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text("ab:-#*& \n'\"[]{}!", max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("abc", min_size=1), inner, max_size=4),
    max_leaves=20,
)


@given(st.dictionaries(st.text("abc", min_size=1), JSON_LIKE, min_size=1))
@settings(max_examples=50, deadline=None)
def test_what_is_written_is_read(value: dict[str, Any]) -> None:
    """JSON is YAML, in flow style; so what Python writes as JSON is read as it was."""
    assert parsed(json.dumps(value)) == value


@given(st.text("ab01:-#*& \n'\"[]{}!%<>|?,.~", max_size=60) | st.text(max_size=30))
@settings(max_examples=200, deadline=None)
def test_any_text_is_a_mapping_or_a_study_error(text: str) -> None:
    try:
        assert isinstance(parsed(text), dict)
    except StudyError as error:
        assert "study.yaml" in str(error)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("no", "no"),  # Norwegian, and not false as in YAML 1.1
        ("on", "on"),
        ("1e-5", 1e-5),
        ("1.5e3", 1500.0),
        (".5", 0.5),
        ("-.inf", float("-inf")),
        ("10_000", 10_000),
        ("010", 10),
        ("0o17", 15),
        ("0x1F", 31),
        ("_", "_"),
        ("1_", "1_"),
        ("~", None),
        ("", None),
        ("1:30", "1:30"),
        ("2026-11-29", "2026-11-29"),
        ("1.2.3", "1.2.3"),
        ("'1'", "1"),
        ("! 1", "1"),
        ("!!str 1", "1"),
        ("!!int '1'", 1),
        ("!!float 1", 1.0),
        ("!!bool 'true'", True),
    ],
)
def test_a_word_is_what_yaml_1_2_says(text: str, value: object) -> None:
    found = parsed(f"a: {text}")["a"]
    assert found == value and type(found) is type(value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: 1\nb: 2\na: 3", 'line 3: it is not YAML (found duplicate key "a")'),
        ("a: 1\nb: *x", 'line 2: it is not YAML (found undefined alias "x")'),
        ("a: 1\n---\nb: 2", "line 2: it is not YAML (a second document begins there)"),
        ("? [a]\n: 1", "line 1: it is not YAML (a key is a list or a mapping)"),
        ("a: 1\n<<: 3", "line 2: it is not YAML (what << merges is no mapping)"),
        ("a: !thing {b: 1}", "line 1: it is not YAML (the tag !thing is not known)"),
        ("a: !!python/name:os.system ''", "python/name:os.system is not known"),
    ],
)
def test_what_is_no_plain_document_is_told_with_its_line(text: str, said: str) -> None:
    assert said in refused(text)


@pytest.mark.parametrize("value", ["!!int ''", "!!bool x", "!!float ''", "!!int _", "9" * 5000, "!!timestamp x"])
def test_a_value_that_its_tag_does_not_fit_is_a_study_error(value: str) -> None:
    assert "study.yaml" in refused(f"a: {value}")


def test_what_is_no_file_or_too_large_is_told_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.yaml")
    (tmp_path / "large.yaml").touch()
    os.truncate(tmp_path / "large.yaml", 2 * 2**30)
    (tmp_path / "latin.yaml").write_bytes(b"a: 1\nb: \xe9\n")
    for path, said in (
        (tmp_path / "pipe.yaml", "it is a pipe, no file"),
        (tmp_path, "it is a folder, no file"),
        (Path("/dev/zero"), "it is a device, no file"),
        (tmp_path / "large.yaml", "it holds 2 GiB, more than the 4 MiB that are read"),
        (tmp_path / "none.yaml", "it cannot be read"),
        (tmp_path / "latin.yaml", "line 2: byte 0xe9 is not UTF-8"),
    ):
        with pytest.raises(StudyError, match=said) as caught:
            yaml_text(path)
        assert str(path) in str(caught.value)


def test_text_that_did_not_come_from_a_file_is_bounded_too() -> None:
    assert "characters, more than the 4 MiB" in refused("#" * (MOST_BYTES + 1))
