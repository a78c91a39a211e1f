"""Models: encoders of the XLM-R family, heads, counted dropout, the one transfer function. Start at model.py."""
