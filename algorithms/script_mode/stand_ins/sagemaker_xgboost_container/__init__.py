"""Stands in for the XGBoost image's package: what example scripts import of it (`data_utils`, `distributed`)."""
