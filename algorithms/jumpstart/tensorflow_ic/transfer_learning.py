"""The entry point of training jobs of Image Classification - TensorFlow."""

from networks.start import begin

if __name__ == "__main__":
    begin("fitting")
