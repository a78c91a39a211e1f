"""The store is the truth: artifacts, leases, checkpoints and small records, on a local folder or in a bucket.

Start with ``artifact_store.py`` (the contract), then ``layout.py`` (where things lie), ``opening.py`` (what makes a
place a store) and ``store.py`` (who does what). It keeps bytes; what they say is the matter of ``stilts/ledger``.
Floor 1: fsspec, and only for buckets; nothing here imports torch.
"""

from stilts.store.opening import find_store, make_store, open_store
from stilts.store.store import Store

__all__ = ["Store", "find_store", "make_store", "open_store"]
