"""What the scripts of the families of networks share. It runs in the job's own interpreter, as `common` does."""
