"""The images of PyTorch: script mode, with torchrun on several processes and hosts."""
