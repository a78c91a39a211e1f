"""Training: the loop, objectives, checkpoints and predictions. No ray, mlflow or optuna. Start at loop.py."""
