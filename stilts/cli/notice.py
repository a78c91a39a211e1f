"""One line on standard error where a verb takes long: what it is doing. Nothing where it is quick."""

from __future__ import annotations

import threading

from stilts.shown import remark

# A verb that has not answered by then says what keeps it, so that no one waits a second in silence.
_AFTER_S = 0.7


class Notice:
    """What a verb is doing, said once: after a while, unless the verb has answered before."""

    def __init__(self, *, after_s: float = _AFTER_S) -> None:
        self._after_s = after_s
        self._lock = threading.Lock()
        self._text = ""
        self._timer: threading.Timer | None = None

    def begin(self, text: str) -> None:
        """From here on the verb does this; the clock starts with the first words."""
        with self._lock:
            self._text = text
            if self._timer is None:
                self._timer = threading.Timer(self._after_s, self._say)
                self._timer.daemon = True
                self._timer.start()

    def end(self) -> None:
        """The verb answers now, or ended: nothing more is said."""
        with self._lock:
            if self._timer is not None:
                self._timer.cancel()
            self._text, self._timer = "", None

    def _say(self) -> None:
        with self._lock:
            text, self._text = self._text, ""
        if text:
            remark(f"{text} ...")


# One command line does one thing at a time.
notice = Notice()
