"""Object2Vec: two encoders of sequences of tokens, and a network that compares what they make of a pair."""
