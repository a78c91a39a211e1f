"""Where things are: the store, MLflow, and a study's record in the store."""

from __future__ import annotations

import os
from pathlib import Path

from stilts.addresses import shown_address
from stilts.errors import InputError
from stilts.ledger.study_record import load_study
from stilts.scheduling.within_job import is_fleeting
from stilts.store import Store, make_store, open_store
from stilts.store.sealing import seal_store
from stilts.study.record import StudyRecord
from stilts.study.study import Study
from stilts.tracking.address_check import check_address

STORE_VARIABLE, TRACKING_VARIABLE = "STILTS_STORE", "MLFLOW_TRACKING_URI"
DEFAULT_STORE = "stilts_store"
DEFAULT_TRACKING = "sqlite:///mlflow.db"


def store_url(given: str | None) -> str:
    """The store's address: what is given, else STILTS_STORE, else ``stilts_store`` in the working folder.

    InputError where a Ray job would keep it in its own working directory, which Ray deletes.
    """
    found = given or os.environ.get(STORE_VARIABLE) or DEFAULT_STORE
    _check_lasting(f"store {shown_address(found)}", found, "--store s3://BUCKET/stilts, or a folder of all nodes")
    return found


def tracking_uri(given: str | None) -> str:
    """MLflow's address: what is given, else MLFLOW_TRACKING_URI, else ``sqlite:///mlflow.db`` in the working folder.

    InputError where a Ray job would keep it in its own working directory, which Ray deletes.
    """
    found = given or os.environ.get(TRACKING_VARIABLE) or DEFAULT_TRACKING
    asked = f"MLflow's address {shown_address(found)}"
    _check_lasting(asked, found, "--tracking-uri http://HOST:5000, or --tracking-uri none")
    return found


def on_disk(address: str) -> Path | None:
    """The folder or file on a disk that an address of a store or of MLflow names; None for a bucket or server."""
    for scheme in ("sqlite:///", "file://"):
        if address.startswith(scheme):
            return Path(address.removeprefix(scheme))
    return None if "://" in address or address in ("none", "databricks") else Path(address)


def _check_lasting(asked: str, address: str, instead: str) -> None:
    place = on_disk(address)
    if place is not None and is_fleeting(place):
        raise InputError(
            asked,
            "it lies in the working directory of the Ray job",
            "Ray unpacks that anew for each submission, and deletes it",
            f"Name a place that lasts: {instead}",
        )


def checked_tracking_uri(given: str | None, *, or_none: bool = False) -> str:
    """MLflow's address, as ``tracking_uri``; InputError where MLflow cannot use it, before anything runs.

    ``or_none``: "none", for no tracking, is an answer too.
    """
    address = tracking_uri(given)
    if not (or_none and address == "none"):
        check_address(address)
    return address


def load_record(study: str, store: Store) -> StudyRecord:
    """The record of a study, given its file or its name in the store; StoreError when the store has none."""
    return load_study(store, study_name(study), typed=study)


def study_name(study: str) -> str:
    """The name of a study, given its file or its name."""
    return Study.load(study).name if is_file(study) else study


def is_file(study: str) -> bool:
    """Whether a study is given by its file, which says where its data are; else it is a name in the store."""
    return Path(study).suffix in (".yaml", ".yml")


def open_store_at(given: str | None) -> Store:
    """The store at an address; StoreError for a place that is none."""
    return open_store(store_url(given))


def make_store_at(given: str | None) -> Store:
    """The store at an address, made where the place is new or empty; an old one is given its checksums.

    An address where nobody answers is an error at once; a bucket that stops to answer later is waited for.
    """
    store = make_store(store_url(given))
    if not store.documents.required:
        seal_store(store)
    return open_store(store.url, patient=True)
