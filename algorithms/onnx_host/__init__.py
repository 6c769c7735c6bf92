"""Serves any `model.onnx` through ONNX Runtime, for the images of Neo. Trains nothing and compiles nothing.

onnxruntime is not among what is imported beforehand: it starts a thread, and a process with threads must not be forked.
"""
