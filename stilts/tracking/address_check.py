"""What is wrong with MLflow's address that can be seen without going there: found before anything runs.

Whether a server or database answers is not asked: a study runs without it, and ``stilts track`` fills it later.
It does not import MLflow.
"""

from __future__ import annotations

import os
import re
from importlib.metadata import entry_points
from urllib.parse import urlsplit

from stilts.addresses import shown_address, without_secrets
from stilts.errors import InputError, MissingPackageError

# The kinds of address that MLflow 3.17 takes; others come from packages that plug into it.
_SERVERS = ("http", "https")
_DATABASES = ("sqlite", "postgresql", "mysql", "mssql")
_ELSEWHERE = ("databricks",)
_FORMS = "sqlite:///mlflow.db, postgresql+psycopg2://HOST/DATABASE or http://HOST:5000"
# What pip calls a driver, where that is not the name it is imported by.
_PACKAGES = {"psycopg": "'psycopg[binary]'", "psycopg2": "psycopg2-binary", "MySQLdb": "mysqlclient"}


def check_address(tracking_uri: str) -> None:
    """Raises InputError for an address that MLflow cannot mean, MissingPackageError for one without its driver."""
    scheme = re.match(r"[a-z][a-z0-9-]*(?=[+:])", tracking_uri)
    kind = scheme[0] if scheme else tracking_uri if tracking_uri in _ELSEWHERE else ""
    if tracking_uri.lower().startswith(_SERVERS):
        _check_server(tracking_uri)
    elif kind in _DATABASES:
        _check_database(tracking_uri)
    elif kind not in (*_ELSEWHERE, *_plugged_in()):
        raise _unknown(tracking_uri)


def _check_server(tracking_uri: str) -> None:
    try:
        parts = urlsplit(tracking_uri)
        named = parts.hostname and parts.scheme in _SERVERS and parts.port != 0
    except ValueError as error:  # a port that is no number, half an IPv6 address: its message may hold half a password
        raise _malformed(tracking_uri, "its host or port cannot be read") from error
    if not named:
        raise _malformed(tracking_uri, "it names no server")


def _check_database(tracking_uri: str) -> None:
    if tracking_uri.startswith("sqlite:///"):  # Python brings this driver, and any path will do
        return
    from sqlalchemy import create_engine
    from sqlalchemy.exc import ArgumentError, NoSuchModuleError

    try:
        create_engine(tracking_uri)  # reads the address and loads the driver; connects with its first use only
    except NoSuchModuleError as error:
        raise _malformed(tracking_uri, "SQLAlchemy knows no driver of that name") from error
    except ValueError as error:
        raise _malformed(tracking_uri, "its port is no number") from error
    except ArgumentError as error:
        raise _malformed(tracking_uri, str(error).partition("\n")[0]) from error
    except ImportError as error:
        raise _no_driver(tracking_uri, error) from error


def _plugged_in() -> set[str]:
    """The kinds of address that installed packages teach MLflow, and folders where MLflow is told to take them."""
    plugged = {entry.name for entry in entry_points(group="mlflow.tracking_store")}
    folders = os.environ.get("MLFLOW_ALLOW_FILE_STORE", "").lower() in ("true", "1")
    return plugged | ({"", "file"} if folders else set())


def _unknown(tracking_uri: str) -> InputError:
    known = ", ".join(sorted((*_SERVERS, *_DATABASES, *_ELSEWHERE, *_plugged_in())))
    return InputError(
        f'MLflow\'s address "{shown_address(tracking_uri)}"',
        "it is none that MLflow takes",
        f"It takes addresses that begin with one of: {known}",
        f'Write it like {_FORMS}; "stilts run --tracking-uri none" tracks nothing',
    )


def _malformed(tracking_uri: str, found: str) -> InputError:
    return InputError(
        f'MLflow\'s address "{shown_address(tracking_uri)}"',
        without_secrets(found, tracking_uri),
        "MLflow could not be reached there once the study has run",
        f"Write it like {_FORMS}; characters such as @ : / in a password are written %40 %3A %2F",
    )


def _no_driver(tracking_uri: str, error: ImportError) -> MissingPackageError:
    module = (error.name or "").partition(".")[0]
    package = _PACKAGES.get(module, module or "the driver")
    return MissingPackageError(
        f'MLflow\'s address "{shown_address(tracking_uri)}"',
        f"its database driver is missing ({str(error).partition(chr(10))[0]})",
        "Nothing of the study could be shown there",
        f"Install it: pip install {package}",
    )
