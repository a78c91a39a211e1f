"""What users can do, from Python or by a verb: here the rooms are put together, and below nobody knows of it.

``running.py`` fills a study's matrix; ``workspace.py`` makes a study ready to plan; ``places.py`` says where stores and
MLflow are. Command-line arguments and rendering are ``cli/``'s; what chooses is ``analysis/``'s.
"""
