"""Stands in for the older name of the training toolkit."""

from sagemaker_training.environment import Environment


def training_env() -> Environment:
    """The training environment."""
    return Environment()
