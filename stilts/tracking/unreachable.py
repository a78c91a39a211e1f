"""MLflow's own errors, and those of the network and database below it, as one error that says what to do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from stilts.addresses import shown_address, without_secrets
from stilts.errors import StiltsError


@contextmanager
def explained(tracking_uri: str) -> Iterator[None]:
    """A context in which whatever MLflow raises becomes a StiltsError; secrets in the URI are not printed."""
    from mlflow.exceptions import MlflowException
    from sqlalchemy.exc import SQLAlchemyError

    try:
        yield
    except (MlflowException, SQLAlchemyError, OSError) as error:
        first_line = without_secrets(str(error).partition("\n")[0], tracking_uri)[:500]
        raise StiltsError(
            f'MLflow at "{shown_address(tracking_uri)}"',
            f"it could not be written: {first_line}",
            "MLflow only shows the results; they are safe in the store",
            'Once it answers, "stilts track" fills it from the store',
        ) from error
