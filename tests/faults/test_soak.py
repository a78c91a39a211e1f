"""A small soak: what ``make soak`` does with three hundred stages."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.ray_head import lacking
from tests.faults.soak import arguments, holds, soak

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(900),
    pytest.mark.skipif(bool(lacking()), reason=f"the extra cluster is not installed: no {', '.join(lacking())}"),
]


def test_thirty_stages_on_nodes_that_die(tmp_path: Path) -> None:
    words = "--stages 30 --worker-every 8 --node-every 25 --again-after 5 --step-seconds 1 --longest 600"
    seen = soak(arguments(words.split()), tmp_path)
    print(seen)
    assert holds(seen), (seen, (tmp_path / "run.log").read_text())
    assert seen["workers killed"] >= 2 and seen["nodes killed"] >= 1, "nothing died"
