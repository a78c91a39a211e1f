"""Data: load, encode and batch the examples of a view. Start at load.py, then encode.py."""
