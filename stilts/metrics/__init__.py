"""Scores, XTREME's averages, and how sure they are. Imports numpy and scipy only; start at ``metric.py``.

Row makers (``classification``, ``tagging``, ``spans``, ``qa``, ``retrieval``) turn gold and prediction into sufficient
statistics per example; ``resampling``, ``uncertainty`` and ``comparison`` turn those into intervals and choices.
"""
