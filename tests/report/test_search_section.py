"""The search section's sentences on contests: which targets a searched mixture wins, loses, or neither."""

from __future__ import annotations

from stilts.analysis.contests import Contest
from stilts.metrics.uncertainty import Interval
from stilts.report.sections.search import _sentences


def contest(target: str, estimate: float, p: float) -> Contest:
    interval = Interval(estimate=estimate, low=estimate - 1, high=estimate + 1, p_value=p, conditional=False)
    return Contest(
        row="searched",
        rival="uniform",
        target=target,
        difference=interval,
        p_adjusted=p,
        proposals=20,
        rival_proposals=20,
    )


def test_targets_are_named_by_verdict_and_counted_where_they_are_many() -> None:
    many = [contest(f"t{i}", 0.1, 0.9) for i in range(5)]
    (sentence,) = _sentences([contest("udpos", 2.0, 0.01), contest("panx", -2.0, 0.01), *many])
    assert sentence == (
        "<p>searched against uniform (20 proposals against 20): better on udpos; worse on panx; "
        "not told apart on 5 targets.</p>"
    )
