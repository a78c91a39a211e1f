"""MLflow as a view of the store: it can be deleted and rebuilt. Floor 7; MLflow is imported here and nowhere else.

Start with ``views.py`` (what is shown), then ``sync.py`` (how it is written); ``follower.py`` has it done during a run.
"""
