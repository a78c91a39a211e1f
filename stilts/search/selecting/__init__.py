"""Selecting cells: which trial next, so that "which source is best for each target" is settled for little.

Pure policies, numpy and scipy only. Start reading in ``policy.py`` (the values), then ``select.py`` (the default).
"""
