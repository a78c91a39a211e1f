"""MLflow's address is looked at before anything runs: its form and its driver, never whether anyone answers."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec

import pytest

from stilts.errors import InputError, MissingPackageError
from stilts.tracking import address_check
from stilts.tracking.address_check import check_address


@pytest.mark.parametrize(
    "address",
    [
        "sqlite:///mlflow.db",
        "sqlite:////proc/nowhere/mlflow.db",
        "sqlite+pysqlite:///mlflow.db",
        "http://127.0.0.1:1",
        "HTTPS://me:s3cret@mlflow.example/prefix",
        "databricks",
        "databricks://profile",
    ],
)
def test_what_mlflow_takes_is_let_pass_whether_or_not_it_answers(address: str) -> None:
    check_address(address)


@pytest.mark.parametrize(
    ("address", "found"),
    [
        ("none", "none that MLflow takes"),
        ("./mlruns", "none that MLflow takes"),
        ("file:///tmp/mlruns", "none that MLflow takes"),
        ("postgres://me:s3cret@host/db", "none that MLflow takes"),
        ("SQLITE:///mlflow.db", "none that MLflow takes"),
        ("oracle://me:s3cret@host/db", "none that MLflow takes"),
        ("uc:unity", "none that MLflow takes"),
        ("http://", "names no server"),
        ("http:///path", "names no server"),
        ("http://me:s3cret@host:port", "cannot be read"),
        ("http://me:s3cret/more@host", "cannot be read"),
        ("http://[::1", "cannot be read"),
        ("sqlite://relative.db", "Invalid SQLite URL"),
        ("sqlite:/tmp/mlflow.db", "Could not parse"),
        ("postgresql:/s3cret", "Could not parse"),
        ("postgresql+nothing://me:s3cret@host/db", "no driver of that name"),
        ("postgresql://me:s3cret@host:port/db", "port is no number"),
    ],
)
def test_an_address_that_cannot_be_meant_is_bad_input(address: str, found: str) -> None:
    with pytest.raises(InputError, match=found) as caught:
        check_address(address)
    assert caught.value.exit_code == 2 and "sqlite:///mlflow.db" in str(caught.value)
    assert "s3cret@" not in str(caught.value) and "me:" not in str(caught.value)


@pytest.mark.parametrize(
    ("address", "module", "package"),
    [
        ("postgresql://me:s3cret@host/db", "psycopg", "'psycopg[binary]'"),
        ("postgresql+psycopg2://me:s3cret@host/db", "psycopg2", "psycopg2-binary"),
        ("mysql://me:s3cret@host/db", "MySQLdb", "mysqlclient"),
        ("mysql+pymysql://me:s3cret@host/db", "pymysql", "pymysql"),
        ("mssql://me:s3cret@host/db", "pyodbc", "pyodbc"),
    ],
)
def test_a_missing_driver_is_named_with_its_package(
    monkeypatch: pytest.MonkeyPatch, address: str, module: str, package: str
) -> None:
    monkeypatch.setitem(sys.modules, module, None)  # as if it were not installed
    with pytest.raises(MissingPackageError) as caught:
        check_address(address)
    assert caught.value.exit_code == 2 and caught.value.next_step == f"Install it: pip install {package}"
    assert "s3cret" not in str(caught.value)


def test_a_driver_that_is_there_is_not_asked_to_connect(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("socket.socket.connect", lambda *_: pytest.fail("it connected"))
    driver = type(sys)("pymysql")
    driver.__version__, driver.version_info = "1.1", (1, 1, 0)  # type: ignore[attr-defined]
    driver.paramstyle = "pyformat"  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "pymysql", driver)
    check_address("mysql+pymysql://me:s3cret@127.0.0.1:1/db")


def test_what_a_plugin_or_the_user_teaches_mlflow_is_let_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    check_address("./mlruns")
    check_address("file:///tmp/mlruns")
    monkeypatch.setattr(address_check, "entry_points", lambda group: [type("Entry", (), {"name": "file-plugin"})])
    check_address("file-plugin:somewhere")


def test_it_imports_neither_mlflow_nor_sqlalchemy_for_the_usual_address() -> None:
    assert find_spec("mlflow") and find_spec("sqlalchemy")
    code = (
        "import sys; from stilts.tracking.address_check import check_address as check;"
        "check('sqlite:///mlflow.db'); check('http://h:1');"
        "sys.exit(not {'mlflow', 'sqlalchemy'}.isdisjoint(sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
