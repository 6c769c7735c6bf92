"""The linear models as JumpStart's scripts use them."""
