"""What the scripts of all tabular models share. It runs in the job's own interpreter: no other room is there."""
