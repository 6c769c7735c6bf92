"""The images of Hugging Face with PyTorch: script mode."""
