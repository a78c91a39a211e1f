"""Where things are: the store, MLflow, and a study's record in the store."""

from __future__ import annotations

import os
from pathlib import Path

from stilts.ledger.study_record import load_study
from stilts.store import Store, make_store, open_store
from stilts.store.sealing import seal_store
from stilts.study.record import StudyRecord
from stilts.study.study import Study
from stilts.tracking.address_check import check_address

STORE_VARIABLE, TRACKING_VARIABLE = "STILTS_STORE", "MLFLOW_TRACKING_URI"
DEFAULT_STORE = "stilts_store"
DEFAULT_TRACKING = "sqlite:///mlflow.db"


def store_url(given: str | None) -> str:
    """The store's address: what is given, else STILTS_STORE, else ``stilts_store`` in the working folder."""
    return given or os.environ.get(STORE_VARIABLE) or DEFAULT_STORE


def tracking_uri(given: str | None) -> str:
    """MLflow's address: what is given, else MLFLOW_TRACKING_URI, else ``sqlite:///mlflow.db`` in the working folder."""
    return given or os.environ.get(TRACKING_VARIABLE) or DEFAULT_TRACKING


def checked_tracking_uri(given: str | None) -> str:
    """MLflow's address, as ``tracking_uri``; InputError where MLflow cannot use it, before anything runs."""
    address = tracking_uri(given)
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
    """The store at an address, made where the place is new or empty; an old one is given its checksums."""
    store = make_store(store_url(given))
    return seal_store(store) if not store.documents.required else store
