"""Stands in for the older name of the training toolkit."""
