"""What Ray prints in between goes to standard error, as text."""

from __future__ import annotations

import io
import sys
import threading

import pytest

from stilts.scheduling.cluster import _WithoutRay


def test_notices_of_ray_go_to_standard_error_without_escape_sequences(monkeypatch: pytest.MonkeyPatch) -> None:
    answer, beside = io.StringIO(), io.StringIO()
    monkeypatch.setattr(sys, "stderr", beside)
    stream = _WithoutRay(answer)  # type: ignore[arg-type]
    notice = "\x1b[33m(raylet)\x1b[0m a worker died: \x1b]0;PWNED\x07\n"
    thread = threading.Thread(target=lambda: stream.write(notice), name="ray_listen_error_messages")
    thread.start()
    thread.join()
    stream.write("\x1b[1mthe answer\x1b[0m\n")
    assert beside.getvalue() == "(raylet) a worker died: \\x1b]0;PWNED\\x07\n"
    assert answer.getvalue() == "\x1b[1mthe answer\x1b[0m\n"
