"""What a study's results say: the matrix (``matrix.py``) and the answer with its doubt (``best.py``, read it first).

Reads the study's record and the store, changes neither. May import lower floors, numpy and pandas.
"""
