"""Serves any `model.onnx` through ONNX Runtime, for the images of Neo. Trains nothing and compiles nothing."""
