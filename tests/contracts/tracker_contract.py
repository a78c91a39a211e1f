"""What every Tracker promises: it never raises, notices return at once, and closing again changes nothing."""

from __future__ import annotations

import time

from stilts.execute.tracker import Tracker


class TrackerContract:
    """Subclasses give the fixture ``tracker``: one that can show what it is to show."""

    def test_a_thousand_notices_take_no_time(self, tracker: Tracker) -> None:
        waits = []
        for _ in range(1000):
            started = time.monotonic()
            tracker.notify()
            waits.append(time.monotonic() - started)
        assert sorted(waits)[990] < 0.005
        assert tracker.close(finished=True, timeout_s=120)

    def test_a_second_close_and_a_late_notice_change_nothing(self, tracker: Tracker) -> None:
        assert tracker.close(finished=False, timeout_s=120)
        tracker.notify()
        started = time.monotonic()
        assert tracker.close(finished=True, timeout_s=120)
        assert time.monotonic() - started < 5
