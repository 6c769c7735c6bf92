"""Factorization machines: linear terms, and the interactions of all pairs of features through a few factors of each."""
