"""A verb that takes long says once what it is doing; a quick one says nothing."""

from __future__ import annotations

import time

import pytest

from stilts.cli.notice import Notice


def test_what_takes_long_is_told_once_in_its_latest_words(capsys: pytest.CaptureFixture[str]) -> None:
    notice = Notice(after_s=0.05)
    notice.begin("reading demo")
    notice.begin("reading 400 results of demo")
    time.sleep(0.3)
    notice.begin("drawing")
    time.sleep(0.2)
    notice.end()
    assert capsys.readouterr().err == "reading 400 results of demo ...\n"


def test_a_quick_answer_stands_alone(capsys: pytest.CaptureFixture[str]) -> None:
    notice = Notice(after_s=0.1)
    notice.begin("reading")
    notice.end()
    time.sleep(0.3)
    assert capsys.readouterr().err == ""


def test_the_next_verb_begins_anew(capsys: pytest.CaptureFixture[str]) -> None:
    notice = Notice(after_s=0.05)
    for text in ("one", "two"):
        notice.begin(text)
        time.sleep(0.2)
        notice.end()
    assert capsys.readouterr().err == "one ...\ntwo ...\n"
