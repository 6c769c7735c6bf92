"""The images of AutoGluon: script mode, made over PyTorch's."""
