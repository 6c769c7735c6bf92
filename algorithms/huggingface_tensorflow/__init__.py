"""The images of Hugging Face with TensorFlow: script mode."""
