"""XGBoost as JumpStart's scripts use it."""
