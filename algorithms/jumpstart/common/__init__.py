"""What the scripts of all families share. It runs in the job's own interpreter: no other room is there."""
