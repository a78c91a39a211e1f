"""Evaluation data altered so that labels hold, and attacks on a finished model. Start at ``perturb.py``.

What may be asked for stands in ``stilts/study/robust.py``. Letters, keys and look-alikes are data files beside.
"""
