"""A StudyRecord as JSON and back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, cast

from stilts.errors import StoreError
from stilts.fingerprint import Json, plain
from stilts.study.record import Column, EstimateOutput, Replicate, Row, StudyRecord


def record_to_json(record: StudyRecord) -> Json:
    """The record as plain JSON."""
    return plain(asdict(record))


def record_from_json(value: Json) -> StudyRecord:
    """The record that ``record_to_json`` wrote; StoreError for anything else."""
    try:
        fields = cast(dict[str, Any], value)
        return StudyRecord(
            **{
                **fields,
                "rows": tuple(Row(**row) for row in fields["rows"]),
                "columns": tuple(_column(column) for column in fields["columns"]),
                "replicates": tuple(Replicate(**replicate) for replicate in fields["replicates"]),
                "overlaps": tuple((row, column, why) for row, column, why in fields["overlaps"]),
                "estimates": tuple(EstimateOutput(**output) for output in fields.get("estimates", ())),
            }
        )
    except (TypeError, KeyError, ValueError) as error:
        raise StoreError(
            "study record",
            f"it cannot be read ({error})",
            "It was written by another version, or damaged",
            "Run the study again: what is done stays done",
        ) from error


def _column(fields: Mapping[str, Any]) -> Column:
    languages = {name: tuple(fields[name]) for name in ("languages", "select_languages")}
    return Column(**{**fields, **languages})
