"""What is needed next is made beside what is done now, and nothing but time is changed by it."""

from __future__ import annotations

import threading

import pytest

from stilts.data.one_ahead import OneAhead


def test_the_next_value_is_made_while_this_one_is_used() -> None:
    made, is_second = [], threading.Event()

    def make(key: int) -> int:
        made.append((key, threading.get_ident()))
        if key == 2:
            is_second.set()
        return key * 10

    ahead = OneAhead(make)
    assert ahead.take(1, then=2) == 10
    assert is_second.wait(20), "nobody asked for it yet"
    assert ahead.take(2, then=None) == 20
    assert [key for key, _ in made] == [1, 2]
    assert {thread for _, thread in made} != {threading.get_ident()} and len({thread for _, thread in made}) == 1


def test_what_was_made_for_another_key_is_thrown_away() -> None:
    made: list[int] = []
    ahead = OneAhead(lambda key: made.append(key) or key)  # type: ignore[func-returns-value]
    assert ahead.take(1, then=2) == 1 and ahead.take(7, then=8) == 7 and ahead.take(8, then=None) == 8
    assert made == [1, 2, 7, 8]


def test_what_it_fails_with_is_raised_where_it_is_taken() -> None:
    ahead = OneAhead(lambda key: 1 // key)
    assert ahead.take(1, then=0) == 1
    with pytest.raises(ZeroDivisionError):
        ahead.take(0, then=None)
