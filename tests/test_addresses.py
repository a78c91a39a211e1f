"""An address is shown without its secrets, and otherwise as it is."""

from __future__ import annotations

import pickle

import pytest

from stilts.addresses import has_secret, is_secret_variable, shown_address, without_secrets
from stilts.errors import StiltsError, UnknownNameError

SECRETS = [
    ("postgresql://me:s3cret@host:5432/db", "postgresql://***@host:5432/db"),
    ("s3://AKIA0123456789ABCDEF:ab/c+d@e@bucket/stilts", "s3://***@bucket/stilts"),
    ("https://ghp_token0123456789@host/x", "https://***@host/x"),
    ("mysql+pymysql://me:a?b#c%40d@host/db?charset=utf8", "mysql+pymysql://***@host/db?charset=utf8"),
    ("postgresql://me:it's here@host/db", "postgresql://***@host/db"),
    ("http://host:5000/?api_key=s3cret&x=1#token=s3cret", "http://host:5000/?api_key=***&x=1#token=***"),
    (
        "postgresql://h/db?user=me&password=s3%26cret&sslmode=require",
        "postgresql://h/db?user=me&password=***&sslmode=require",
    ),
    ("s3://b/x?X-Amz-Signature=abc&%73ecret=abc&sig=abc", "s3://b/x?X-Amz-Signature=***&%73ecret=***&sig=***"),
    ("mssql+pyodbc:///?odbc_connect=DRIVER%3Dx%3BPWD%3Ds3cret", "mssql+pyodbc:///?odbc_connect=***"),
]
HARMLESS = [
    "stilts_store",
    "/home/me/a@b/c:d@e",
    "sqlite:////tmp/a@b/mlflow.db",
    "s3://bucket/user@example/x",
    "http://127.0.0.1:5000/#/experiments/1/runs?workflowType=machine_learning",
    "memory://store",
]


@pytest.mark.parametrize(("address", "expected"), SECRETS)
def test_user_part_and_credentials_are_hidden_and_the_rest_stays(address: str, expected: str) -> None:
    assert shown_address(address) == expected
    assert shown_address(expected) == expected
    assert has_secret(address)


@pytest.mark.parametrize("address", HARMLESS)
def test_an_address_without_secrets_is_shown_as_it_is(address: str) -> None:
    assert shown_address(address) == address
    assert not has_secret(address)
    assert without_secrets(f'open "{address}": no') == f'open "{address}": no'


@pytest.mark.parametrize(("address", "expected"), [pair for pair in SECRETS if " " not in pair[0]])
def test_an_address_in_the_middle_of_a_message_is_hidden_too(address: str, expected: str) -> None:
    message = f"ConnectionError: <{address}> is away (me@example.org was told)"
    assert without_secrets(message) == f"ConnectionError: <{expected}> is away (me@example.org was told)"


def test_a_secret_is_hidden_in_whatever_form_a_library_repeats_it() -> None:
    address = "s3://AKIA0123456789ABCDEF:ab%2Fc+d@bucket/x?token=t0k3n"
    message = 'Invalid bucket name "AKIA0123456789ABCDEF:ab%2Fc+d@bucket"; ab/c+d, t0k3n'
    assert without_secrets(message, address) == 'Invalid bucket name "***:***@bucket"; ***, ***'


def test_the_secrets_of_the_environment_are_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_planted")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "postgresql://me:planted-password@host/db")
    monkeypatch.setenv("TOKENIZERS_PARALLELISM", "false")
    assert without_secrets("Invalid header 'Bearer hf_planted'; planted-password") == "Invalid header 'Bearer ***'; ***"
    assert without_secrets("it is false") == "it is false"


def test_a_short_password_does_not_hide_the_words_of_a_message() -> None:
    assert without_secrets("a cat at postgresql://me:a@host", "postgresql://me:a@host") == (
        "a cat at postgresql://***@host"
    )


@pytest.mark.parametrize(
    "name",
    [
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SECURITY_TOKEN",
        "hf_token",
        "MLFLOW_TRACKING_PASSWORD",
        "WANDB_API_KEY",
    ],
)
def test_variables_named_like_credentials_are_known(name: str) -> None:
    assert is_secret_variable(name)


@pytest.mark.parametrize(
    "name", ["TOKENIZERS_PARALLELISM", "PWD", "AWS_SHARED_CREDENTIALS_FILE", "RAY_AUTH_TOKEN_PATH"]
)
def test_others_are_not(name: str) -> None:
    assert not is_secret_variable(name)


def test_no_part_of_an_error_shows_a_secret() -> None:
    url = "s3://AKIA0123456789ABCDEF:s3cret@bucket"
    error = StiltsError(f"open the store {url}", f"{url} is away", f"{url} matters", f"stilts run --store {url}")
    parts = (error.asked, error.found, error.why, error.next_step, str(error), repr(error))
    assert not any("s3cret" in part for part in parts)
    assert str(pickle.loads(pickle.dumps(error))) == str(error)
    unknown = UnknownNameError("task", url, ["xnli"])
    assert "s3cret" not in str(unknown) and str(pickle.loads(pickle.dumps(unknown))) == str(unknown)
