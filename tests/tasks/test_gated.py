"""What the hub keeps behind its owners' terms: the message says which page to open."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import huggingface_hub
import pytest
from huggingface_hub.errors import GatedRepoError

from stilts.data.hub_rows import read_hub
from stilts.errors import InputError
from stilts.execute.inputs import _from_hub
from stilts.tasks.gated import gate_of
from stilts.tasks.kinds.classification import CLASSIFICATION
from stilts.tasks.resolve_encoder import ask_hub
from stilts.tasks.sources import hub_commit
from stilts.tasks.task import Source
from stilts.tasks.view import DataView

COMMIT = "0" * 40
VIEW = DataView(
    dataset="d",
    kind=CLASSIFICATION,
    split="test",
    language="en",
    source=Source.HUB,
    fingerprint="hub:owner/d",
    reader="",
    location={"repo": "owner/d", "config": None, "split": "test", "revision": COMMIT},
)
ASKED: dict[str, tuple[str, Callable[[], Any]]] = {
    "datasets/owner/d": ("dataset_info", lambda: hub_commit("owner/d", None)),
    "owner/e": ("model_info", lambda: ask_hub("owner/e", None)),
}


def refused(*_: object, **__: object) -> None:
    raise GatedRepoError.__new__(GatedRepoError)  # made from an answer of whichever HTTP library the client has


@pytest.mark.parametrize("page", ASKED)
def test_a_gated_repository_names_its_page(page: str, monkeypatch: pytest.MonkeyPatch) -> None:
    method, ask = ASKED[page]
    monkeypatch.setattr(huggingface_hub.HfApi, method, refused)
    monkeypatch.setattr(huggingface_hub, "get_token", lambda: None)
    with pytest.raises(InputError, match="it is gated, and this machine has no token") as error:
        ask()
    assert f"Accept them at {huggingface_hub.constants.ENDPOINT}/{page}, and" in error.value.next_step
    assert "HF_TOKEN_PATH" in error.value.next_step and error.value.why
    monkeypatch.setattr(huggingface_hub, "get_token", lambda: "hf_secret")
    with pytest.raises(InputError, match="is not among them") as error:
        ask()
    assert "hf_secret" not in str(error.value)


def test_weights_and_rows_that_are_gated_say_so_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(huggingface_hub, "snapshot_download", refused)
    with pytest.raises(InputError, match=r"is gated.*/owner/e, and give each machine a token"):
        _from_hub("owner/e", COMMIT)

    def wrapped(*_: object, **__: object) -> None:
        try:
            refused()
        except GatedRepoError as error:
            raise FileNotFoundError("Dataset 'owner/d' is a gated dataset") from error

    monkeypatch.setattr("datasets.load_dataset", wrapped)
    with pytest.raises(InputError, match=r"is gated.*/datasets/owner/d"):
        list(read_hub(VIEW, None, Counter()))


def test_other_errors_are_told_as_before() -> None:
    assert gate_of(ConnectionError("offline"), "owner/e", is_data=False) is None
