"""PCA: the strongest directions of the data, by its exact covariance or by a random sketch of it."""
