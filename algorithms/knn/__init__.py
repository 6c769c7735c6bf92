"""k-NN: a sample of the records behind an index, and the vote or the mean of the nearest of them."""
