"""What tests of several ranks share."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from stilts.training.crew import end_crew
from tests.training.alive import ranks_of


@pytest.fixture(scope="module")
def nobody_is_left() -> Iterator[None]:
    """Ends the ranks of a module's tests, and sees that none is left."""
    yield
    end_crew()
    assert ranks_of(os.getpid()) == []
