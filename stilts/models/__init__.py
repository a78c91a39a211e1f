"""Models: encoders by family, heads, counted dropout, the one transfer function. Start at model.py."""
