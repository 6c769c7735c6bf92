"""On the PYTHONPATH of an activated program: Python runs `sitecustomize` as it starts, Node `sagelet_hook.cjs`."""
