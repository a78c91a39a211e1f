"""HubRow: one row of a hub repository's table as a kind sees it; ``stilts.data.hub_rows`` reads the tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from stilts.errors import DataError
from stilts.fingerprint import Json


class HubRow(Protocol):
    """A row seen through a dataset's mapping of columns; ``labels`` are the task's, ``place`` names the table."""

    columns: Mapping[str, str]
    options: Mapping[str, Json]
    labels: Sequence[str] | None
    number: int
    place: str

    @property
    def item(self) -> str:
        """The source item."""

    def get(self, field: str) -> Any:
        """The value of a field of the example, None where no column is declared for it."""

    def text(self, field: str) -> str:
        """The text of a field; raises DataError where it is blank."""

    def second_text(self) -> str | None:
        """The text of the field ``text_pair``, None where no column is declared for it."""

    def texts(self, values: Sequence[Any], field: str) -> tuple[str, ...]:
        """A list of texts; raises DataError where one of them is blank."""

    def name(self, value: object, field: str = "label") -> str | None:
        """A label by the task's name; None for the hub's -1, which says that it is kept back."""

    def error(self, found: str, field: str) -> DataError:
        """A mistake of this row."""
