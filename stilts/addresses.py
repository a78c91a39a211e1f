"""How an address of a store or of MLflow is shown: without the secrets in it. Floor 0: every floor may import this.

An address may carry a name and password (``postgresql://me:secret@host/db``), keys (``s3://KEY:SECRET@bucket``) or
credentials in its query (``?api_key=secret``). Nobody who reads a message, a table, a log, a record or a list of
processes needs them. ``errors.py`` passes every message through ``without_secrets``; whoever shows an address
elsewhere passes it through ``shown_address``, and hands it to another process by environment or pipe, never on a
command line.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from urllib.parse import unquote

HIDDEN = "***"
# Shorter passwords are hidden inside their address only: elsewhere they would hide half the words of a message.
_SHORTEST = 4
# A user's name is a secret where it is as long as a token or a key id (AWS: 20).
_TOKEN_LENGTH = 16


def _patterns(stop: str) -> tuple[re.Pattern[str], re.Pattern[str]]:
    """What finds user parts and query values in a text where no address goes on behind one of ``stop``.

    A secret may hold "/", "?" or "@" unquoted: with "name:" before it, it ends at the last "@".
    """
    user = rf"(?<=//)(?:[^/@:{stop}]*:[^{stop}]*|[^/?#@{stop}]*)@"
    return re.compile(user), re.compile(rf"([?&;#])([^=&;#?/{stop}]+)=([^&#{stop}]*)")


_ADDRESS, _WORDS = _patterns(r"\0"), _patterns(r"\s\"'<>")
# As queries name them: api_key, sslpassword, X-Amz-Signature, sig, odbc_connect (a whole address in a value).
_QUERY_NAME = re.compile(r"pass|pwd|secret|token|key|credential|signature|auth|odbc_connect|^sig$", re.IGNORECASE)
# As variables are named: AWS_SECRET_ACCESS_KEY, HF_TOKEN, MLFLOW_TRACKING_PASSWORD, but not TOKENIZERS_PARALLELISM.
_VARIABLE = re.compile(r"(?:^|_)(?:SECRETS?|TOKENS?|PASSWORD|PASSWD|(?:API|ACCESS|PRIVATE|SECRET)_?KEY)(?:_ID)?$")


def shown_address(address: str) -> str:
    """The address as it may be shown: user part and query values that look like credentials replaced, the rest kept."""
    return _hidden(address, *_ADDRESS)


def has_secret(address: str) -> bool:
    """Whether the address must not stand on a command line."""
    return shown_address(address) != address


def without_secrets(text: str, *addresses: str) -> str:
    """The text with every address in it as it is shown, and without the secrets of this process.

    Those are the ones in the addresses given, and in the environment: the values of variables named like credentials
    and the secrets of addresses there. Libraries repeat them in their messages in forms of their own.
    """
    found = {secret for secret in _secrets(addresses) if len(secret) >= _SHORTEST}
    for secret in sorted(found, key=len, reverse=True):
        text = text.replace(secret, HIDDEN)
    return _hidden(text, *_WORDS)


def is_secret_variable(name: str) -> bool:
    """Whether an environment variable of this name holds a credential."""
    return _VARIABLE.search(name.upper()) is not None


def _hidden(text: str, user: re.Pattern[str], query: re.Pattern[str]) -> str:
    return query.sub(_hidden_value, user.sub(f"{HIDDEN}@", text))


def _hidden_value(found: re.Match[str]) -> str:
    mark, name, value = found.groups()
    return f"{mark}{name}={HIDDEN if _QUERY_NAME.search(unquote(name)) else value}"


def _secrets(addresses: Iterable[str]) -> Iterator[str]:
    for address in addresses:
        yield from _secrets_of(address)
    for name, value in os.environ.items():
        if is_secret_variable(name):
            yield value
        elif "://" in value:
            yield from _secrets_of(value)


def _secrets_of(address: str) -> Iterator[str]:
    """The secrets in an address, as they are written there and decoded."""
    user, query = _ADDRESS
    for found in user.finditer(address):
        name, _, password = found[0].removesuffix("@").partition(":")
        yield from (password, unquote(password))
        if len(name) >= _TOKEN_LENGTH:
            yield name
    for _, name, value in query.findall(address):
        if _QUERY_NAME.search(unquote(name)):
            yield from (value, unquote(value))
