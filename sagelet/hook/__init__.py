"""A folder that an activated program has on its PYTHONPATH: its interpreter runs `sitecustomize` when it starts."""
