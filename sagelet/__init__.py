"""The name plate: what a user's own process imports. It starts and stops the server as a separate process.

This room imports none of the others; the server process finds them by path (see `sagelet/launch.py`).
"""

__version__ = "0.1.0"
