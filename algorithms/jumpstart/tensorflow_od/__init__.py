"""Object Detection - TensorFlow as JumpStart's scripts do it, by PyTorch."""
