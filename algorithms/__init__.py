"""What jobs run: one folder per built-in algorithm.

Payload: imports no other room, and of it the house imports the catalogue alone.
"""
