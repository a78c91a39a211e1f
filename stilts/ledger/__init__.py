"""The ledger: every record and result that a study writes, as frozen types; named, written, read and checked here.

Whatever comes out of a store is data from outside. It is bounded and agrees with its seal when it leaves ``store/``;
here it becomes a frozen value, or a ``DamagedError`` or ``NewerError`` that names the file and its study. Start with
``records.py`` (what is written and under which names) and ``results.py`` (what stages publish); ``mending.py`` sets
aside what is damaged, ``gc.py`` frees what nothing needs. Floor 4: no torch, no Ray, no MLflow.
"""
