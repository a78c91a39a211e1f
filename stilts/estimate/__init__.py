"""Estimate: cheap figures that say before a cell is run what it may bring. Start at ``features.py``, then ``logme.py``.

Imported by ``stilts.execute``; torch is allowed, nothing here knows of the store.
"""
