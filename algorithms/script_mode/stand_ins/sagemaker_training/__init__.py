"""Stands in for the training toolkit: `environment`, which scripts ask about their job."""
