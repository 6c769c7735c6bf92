"""A project that trains a model of prices on SageMaker."""
