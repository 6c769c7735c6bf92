"""Snapshots: all that a house holds as one archive, and a house filled from one, on this machine or on another.

Knows the rooms whose state it copies, and the form of the archive. May not decide what a record means: what becomes of
work that was under way, the engines' rooms say (`arrivals`). docs/extension-api.md describes the archive.
"""
