"""What example scripts import from here. `modules` and `transformer` are names only: nothing calls them."""

from types import SimpleNamespace

from sagemaker_containers import training_env
from sagemaker_containers.beta.framework import content_types, encoders, errors, worker

env = SimpleNamespace(TrainingEnv=training_env)
modules = SimpleNamespace()
transformer = SimpleNamespace()

__all__ = ["content_types", "encoders", "env", "errors", "modules", "training_env", "transformer", "worker"]
