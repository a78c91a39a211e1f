"""Search: which stage next, which values next, what to stop. Pure policies; Optuna is imported here only.

Start with ``work_source.py`` (what the scheduler asks for), then ``order.py``, ``proposals.py`` and ``pruning.py``.
Nothing here trains, opens a store or knows Ray.
"""
