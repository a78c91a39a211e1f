"""Scheduling: runs the stages that a WorkSource hands out, on Ray or in this process. Ray is imported here only.

Start with ``desk.py`` (what happens to a stage between hand-out and outcome; no Ray), then ``runner.py`` (Ray Tune) and
``sequential.py`` (no Ray). Tune holds no state that would be missed: the store is the truth.
"""
