"""The images of TensorFlow: script mode, with TF_CONFIG on several hosts."""
