"""Linear Learner: linear models for regression and classification, many trained at once, the best of which is kept."""
