"""K-Means: mini-batches into more centres than asked for, which Lloyd's algorithm then reduces."""
