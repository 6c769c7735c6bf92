"""LDA: topics by spectral decomposition of the moments of word counts, mixtures by variational inference."""
