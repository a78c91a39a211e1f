"""The token that a Ray cluster asks for: where Ray looks for it on this machine, and who else can read it. No Ray."""

from __future__ import annotations

import os
import shlex
import stat
from pathlib import Path

from stilts.errors import InputError

MODE, TOKEN, TOKEN_FILE = "RAY_AUTH_MODE", "RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH"


def has_token() -> bool:
    """Whether a token lies where Ray looks for one: in a variable, or in a file."""
    return bool(os.environ.get(TOKEN) or os.environ.get(TOKEN_FILE)) or token_file() is not None


def token_file() -> Path | None:
    """The file that Ray reads the token from; None where a variable holds it, or there is none."""
    if os.environ.get(TOKEN):
        return None
    file = Path(os.environ.get(TOKEN_FILE) or Path.home() / ".ray" / "auth_token")
    return file if file.is_file() else None


def check_token_file() -> None:
    """Raises InputError, with the command that mends it, where others of this machine can read the token's file.

    ``ray get-auth-token --generate`` writes it as the umask says, which is 644 on most machines.
    """
    file = token_file()
    mode = stat.S_IMODE(file.stat().st_mode) if file else 0
    if mode & 0o077:
        raise InputError(
            f"token of the Ray cluster in {file}",
            f"its mode is {mode:o}: others of this machine can read it",
            "Whoever has it can run code on the cluster",
            f"Take it from them: chmod 600 {shlex.quote(str(file))}",
        )
