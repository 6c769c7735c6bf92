"""Stands in for the newer serving toolkit: what scripts for PyTorch import of it."""
