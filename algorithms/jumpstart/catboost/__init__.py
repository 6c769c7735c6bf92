"""CatBoost as JumpStart's scripts use it."""
