"""TabTransformer as JumpStart's scripts use it."""
