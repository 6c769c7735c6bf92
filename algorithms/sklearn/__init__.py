"""The images of scikit-learn: script mode."""
