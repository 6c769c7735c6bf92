"""The entry point of training jobs of Object Detection - TensorFlow."""

from networks.start import begin

if __name__ == "__main__":
    begin("fitting")
