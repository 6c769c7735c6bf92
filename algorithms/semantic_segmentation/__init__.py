"""Semantic Segmentation: networks that say of each pixel what it belongs to."""
