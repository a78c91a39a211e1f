"""Replay: a finished matrix as a recorded world, in which policies run in seconds and their regret is known.

Start reading in ``world.py`` (what is recorded), then ``play.py`` (a policy in it) and ``regret.py`` (the verdict).
"""
