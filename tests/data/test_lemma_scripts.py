"""Edits from words to lemmas, and endings: what they are, and that an edit leads to its lemma."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stilts.data.readers.lemma_scripts import ending, lemma_script

WORDS = st.text("abcdeäß", min_size=1, max_size=8)


def applied(form: str, script: str) -> str:
    """The lemma that a script makes of a form, worked out as its words say."""
    if script.startswith("*"):
        return script[1:]
    mark = "^^" if script.startswith("^^") else "^" if script.startswith("^") else ""
    before, after = script[len(mark) :].split("|")
    text = form.lower()
    for edit, is_start in ((before, True), (after, False)):
        if edit:
            taken, _, put = edit[1:].partition("+")
            text = put + text[int(taken) :] if is_start else text[: len(text) - int(taken)] + put
    return text.upper() if mark == "^^" else text[:1].upper() + text[1:] if mark else text


@pytest.mark.parametrize(
    ("form", "lemma", "script", "end"),
    [
        ("forces", "force", "|-1+", "s"),
        ("Killed", "kill", "|-2+", "ed"),
        ("tries", "try", "|-3+y", "ies"),
        ("sang", "sing", "-2+si|", "ang"),
        ("The", "the", "|", "_"),
        ("Anna", "Anna", "^|", "_"),
        ("NATO", "NATO", "^^|", "_"),
        ("is", "be", "*be", "_"),
        ("iPhones", "iPhone", "*iPhone", "s"),
        ("word", "_", "_", "_"),
        ("_", "_", "|", "_"),
    ],
)
def test_what_leads_from_a_form_to_its_lemma(form: str, lemma: str, script: str, end: str) -> None:
    assert (lemma_script(form, lemma), ending(form, lemma)) == (script, end)


@given(form=WORDS, lemma=WORDS)
def test_an_edit_leads_to_the_lemma_and_is_the_same_for_capitals(form: str, lemma: str) -> None:
    script = lemma_script(form, lemma)
    assert applied(form, script) == lemma and " " not in script
    assert lemma_script(form.title() if form.title().lower() == form else form, lemma) == script


@given(stem=st.text("bcdf", min_size=1, max_size=6), tail=st.text("aeiou", max_size=3))
def test_an_ending_is_what_stands_behind_the_stem(stem: str, tail: str) -> None:
    assert ending(stem + tail, stem) == (tail or "_")
    assert lemma_script(stem + tail, stem) == (f"|-{len(tail)}+" if tail else "|")
