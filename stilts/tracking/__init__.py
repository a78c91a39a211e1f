"""MLflow as a view of the store: it can be deleted and rebuilt. Floor 7; MLflow is imported here and nowhere else.

Start with ``views.py`` (what is shown), then ``sync.py`` and ``run_writer.py`` (how it is written) and ``landing.py``
(how it opens); ``follower.py`` has it done during a run.
"""
