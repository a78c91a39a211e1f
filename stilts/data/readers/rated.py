"""Readers of texts with a number on a scale: GLUE's STS-B."""

from __future__ import annotations

from collections.abc import Iterator

from stilts.data.readers.reading import Reading
from stilts.data.readers.rows import headed_rows
from stilts.data.readers.texts import filled
from stilts.tasks.kinds.regression import RegressionExample, number_on_scale


def read_rated_tsv(reading: Reading) -> Iterator[RegressionExample]:
    """GLUE's TSV with a header and without quoting, a number for a label (default columns: STS-B's).

    Options name the columns: ``text``, ``text_pair`` ("" where there is one text only), ``label`` and ``item`` ("": the
    row number from 0). The two labels asked for are the ends of the scale; a number beyond them is an error.
    """
    defaults = {"text": "sentence1", "text_pair": "sentence2", "label": "score", "item": "index"}
    names = {key: str(reading.options.get(key, default)) for key, default in defaults.items()}
    for path in reading.paths:
        for number, (line, row) in enumerate(reading.spoken(headed_rows(path), path)):
            reading.check_fields(row, names, path, line)
            label = None if reading.unlabelled else filled(row, names["label"], path, line)
            scale = reading.labels or ("-inf", "inf")
            yield RegressionExample(
                item=filled(row, names["item"], path, line) if names["item"] else str(number),
                text=filled(row, names["text"], path, line),
                text_pair=filled(row, names["text_pair"], path, line) if names["text_pair"] else None,
                value=number_on_scale(label, scale, path, line, names["label"]),
            )
