"""What Amazon's own algorithm images (K-Means, PCA, Linear Learner …) have in common, below each algorithm's folder.

A definition says what tells one from the others; configuration, log, data, hosts, requests and answers are alike.
Facts and their sources: docs/quirks.md, "First-party algorithms".
"""
