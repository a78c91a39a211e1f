"""Search: which stage next, which values next, what to stop. Pure policies; Optuna is imported here only.

Start with ``work_source.py`` (what the scheduler asks for), ``conductor.py`` and ``deciding.py`` (what policies are
given, and give), then ``policies.py``. Nothing here trains or knows Ray.
"""
