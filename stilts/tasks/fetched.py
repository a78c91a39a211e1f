"""What was fetched of the hub beforehand, for machines without it (``HF_HUB_OFFLINE=1``)."""

from __future__ import annotations

from pathlib import Path

# What the files of a repository are called among others of the hub's cache.
MODEL, DATASET = "model", "dataset"
# What is read of an encoder's repository.
ENCODER_FILES = ("config.json", "*.safetensors", "tokenizer.json")


def fetched_commit(repo: str, kind: str, revision: str | None) -> str | None:
    """The commit at which a branch or tag was fetched; None where the hub may be asked, or nothing was fetched."""
    from huggingface_hub import constants
    from huggingface_hub.file_download import repo_folder_name

    if not constants.HF_HUB_OFFLINE:
        return None
    folder = Path(constants.HF_HUB_CACHE) / repo_folder_name(repo_id=repo, repo_type=kind)
    ref = folder / "refs" / (revision or "main")
    return ref.read_text(encoding="utf-8").strip() if ref.is_file() else None


def fetched_folder(repo: str, kind: str, commit: str) -> str | None:
    """Where a repository's files lie that were fetched at a commit; None where the hub may be asked, or none were."""
    from huggingface_hub import constants, snapshot_download
    from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError

    if not constants.HF_HUB_OFFLINE:
        return None
    try:
        return str(snapshot_download(repo, repo_type=kind, revision=commit, local_files_only=True))
    except (LocalEntryNotFoundError, HFValidationError):  # none was fetched, or it is a folder of this machine
        return None
