"""What the scripts of all tabular models share, besides `common`. It runs in the job's own interpreter, too."""
