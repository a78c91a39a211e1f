"""What leaves stilts for a screen: every character that would act is visible, every script stays as it is."""

from __future__ import annotations

import ast
import json
import unicodedata
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stilts.shown import remark, shown, shown_json

ANY_TEXT = st.text(st.characters(exclude_categories=()))
ACTING = {*map(chr, (*range(32), *range(0x7F, 0xA0), 0x2028, 0x2029, *range(0x202A, 0x202F), *range(0x2066, 0x206A)))}
PACKAGE = Path(__file__).parents[1]


@given(ANY_TEXT)
def test_nothing_that_acts_is_left(text: str) -> None:
    told = shown(text)
    assert not ACTING & set(told)
    assert not any(unicodedata.category(char) in ("Cc", "Cs", "Zl", "Zp") for char in told)
    told.encode()
    assert ElementTree.fromstring(f"<a>{told.replace('&', '').replace('<', '')}</a>") is not None
    assert shown(told) == told, "what was shown before is not escaped again"


@given(ANY_TEXT)
def test_the_rest_is_left_as_it_is_and_in_its_order(text: str) -> None:
    kept = [char for char in text if shown(char) == char]
    assert "".join(shown(char) for char in text) == shown(text)
    assert all(char not in ACTING for char in kept)
    assert shown("".join(kept)) == "".join(kept)


@pytest.mark.parametrize(
    "text",
    [
        "Grüße, naïve façade, €5 – “quoted”… C:\\new \\write18{id}",
        "العربية، مع علامات\u200f و\u200eLatin\u061c",
        "हिन्दी क्\u200dष क्\u200cष",
        "עברית תורה",
        "ภาษาไทย 日本語 한국어 မြန်မာ",
        "👩\u200d👩\u200d👧\u200d👦 🏳\ufe0f\u200d🌈 🇰🇪 👍🏿",
        "e\u0301 soft\u00adhyphen no\u00a0break \ufffd",
    ],
)
def test_ordinary_text_of_every_script_is_untouched(text: str) -> None:
    assert shown(text) == text


def test_escapes_name_the_character() -> None:
    assert shown("\x1b[2J\x07\x7f\x9b\u202e\u2028\ud800") == r"\x1b[2J\x07\x7f\x9b\u202e\u2028\ud800"
    assert shown("a\r\n\tb") == r"a\r\n\tb"
    assert shown("a\r\n\tb", keep="\n\t") == "a\\r\n\tb"


@given(
    st.recursive(ANY_TEXT | st.integers() | st.none(), lambda inner: st.lists(inner) | st.dictionaries(ANY_TEXT, inner))
)
def test_json_holds_none_of_them_and_gives_the_value_back(value: object) -> None:
    for indent in (None, 2):
        written = shown_json(value, indent=indent)
        assert not (ACTING - {"\n"}) & set(written)
        written.encode()
        # Two halves that are written beside each other are read as the one character that they make up.
        again = json.loads(written)
        assert again == json.loads(json.dumps(value))


def test_a_remark_is_one_line_on_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    remark("label \x1b]0;title\x07\nDone.")
    told = capsys.readouterr()
    assert told.err == "label \\x1b]0;title\\x07\\nDone.\n" and not told.out


def test_everything_that_is_printed_goes_through_here() -> None:
    """A print of anything but a sentence of our own, a console of Rich's own, or a bare write would be a way around."""
    found = []
    for path in [*PACKAGE.glob("stilts/**/*.py"), *PACKAGE.glob("ray_jobs/*.py")]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and _goes_around(node):
                found.append(f"{path.relative_to(PACKAGE)}:{node.lineno} {ast.unparse(node)[:60]}")
    # The progress display shows its own strings, the reference of fields the package's own words; Ray's notices and
    # tracebacks are shown where they are written.
    assert [line.partition(" ")[2] for line in found] == ["Console(stderr=True)", "sys.stdout.write(markdown())"], found


def _goes_around(call: ast.Call) -> bool:
    called = ast.unparse(call.func)
    first = call.args[0] if call.args else None
    safe = isinstance(first, ast.Constant) or (first is not None and ast.unparse(first).startswith("shown"))
    return (called in ("print", "sys.stdout.write", "sys.stderr.write") and not safe) or called == "Console"


def test_a_way_around_is_found() -> None:
    for line in ("print(name)", "print(f'{name}')", "sys.stdout.write(name)", "Console()"):
        (call,) = (node for node in ast.walk(ast.parse(line)) if isinstance(node, ast.Call))
        assert _goes_around(call), line
    for line in ("print(shown(name))", "print('a sentence')", "say(value)"):
        assert not any(_goes_around(node) for node in ast.walk(ast.parse(line)) if isinstance(node, ast.Call)), line
