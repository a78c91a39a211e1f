"""Seeds derived from names and numbers, so that no stream of random numbers depends on another's use.

Every floor may import this module.
"""

from __future__ import annotations

import hashlib


def derive_seed(*parts: int | str) -> int:
    """A seed in [0, 2**63) that depends on every part, on their order and on nothing else."""
    joined = "\x1f".join(f"{type(part).__name__}:{part}" for part in parts)
    return int.from_bytes(hashlib.sha256(joined.encode()).digest()[:8], "big") >> 1
