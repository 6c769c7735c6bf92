"""AutoGluon-Tabular as JumpStart's scripts use it."""
