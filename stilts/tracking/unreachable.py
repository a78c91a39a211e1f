"""MLflow's own errors, and those of the network and database below it, as one error that says what to do."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from stilts.errors import StiltsError


@contextmanager
def explained(tracking_uri: str) -> Iterator[None]:
    """A context in which whatever MLflow raises becomes a StiltsError; a password in the URI is not printed."""
    from mlflow.exceptions import MlflowException
    from sqlalchemy.exc import SQLAlchemyError

    try:
        yield
    except (MlflowException, SQLAlchemyError, OSError) as error:
        first_line = _without_password(str(error).partition("\n")[0])[:500]
        raise StiltsError(
            f'MLflow at "{_without_password(tracking_uri)}"',
            f"it could not be written: {first_line}",
            "MLflow only shows the results; they are safe in the store",
            'Once it answers, "stilts track" fills it from the store',
        ) from error


def _without_password(text: str) -> str:
    """The text without the ``user:password@`` of the URIs in it (the message of a failed request repeats the URI)."""
    return re.sub(r"//[^/\s]*@", "//", text)
