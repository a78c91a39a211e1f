"""The store is the truth: artifacts, leases, checkpoints and small records, on a local folder or in a bucket.

Start with ``artifact_store.py`` (the contract), then ``layout.py`` (where things lie) and ``store.py`` (who does what).
Floor 4: fsspec, and only for buckets; nothing here imports torch.
"""

from stilts.store.store import Store, open_store

__all__ = ["Store", "open_store"]
