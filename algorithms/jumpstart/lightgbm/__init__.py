"""LightGBM as JumpStart's scripts use it."""
