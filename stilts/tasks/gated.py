"""Repositories of the hub whose owners ask for something first: which page to open, and what to give a machine."""

from __future__ import annotations

from collections.abc import Iterator


def gate_of(error: BaseException, repo: str, *, is_data: bool) -> tuple[str, str, str] | None:
    """What a message says of a repository that lets in only who accepted its terms: found, why, next step.

    None where the error, and what caused it, are of something else.
    """
    if not any(type(one).__name__ == "GatedRepoError" for one in _causes(error)):
        return None
    from huggingface_hub import get_token
    from huggingface_hub.constants import ENDPOINT

    page = f"{ENDPOINT}/{'datasets/' if is_data else ''}{repo}"
    known = "the account of this machine's token is not among them" if get_token() else "this machine has no token"
    return (
        f"it is gated, and {known}",
        "Its owners let in only accounts that accepted their terms",
        f"Accept them at {page}, and give each machine a token of that account: a file that HF_TOKEN_PATH names, or "
        "HF_TOKEN",
    )


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error, and those that it was raised for, the nearest first."""
    at: BaseException | None = error
    while at is not None:
        yield at
        at = at.__cause__ or at.__context__
