"""JumpStart's models: what AWS offers in its public buckets, made here, so that they run as ordinary script mode.

A family is a folder: `family.json` says which models it has, with which hyperparameters and metrics, and its `*.py` are
the scripts that train and serve them. They run in the job's own interpreter, where nothing else of this room is.
"""
