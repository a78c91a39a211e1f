"""Models: encoders of the XLM-R family, task heads, counted dropout, and the one transfer function. Start at model.py."""
