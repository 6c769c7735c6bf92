"""XGBoost in algorithm mode, as the first-party container trains and serves it. Its script mode is not here."""
