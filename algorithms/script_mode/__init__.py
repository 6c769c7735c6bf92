"""Script mode: runs the user's own program as the training toolkit of AWS's framework images does."""
