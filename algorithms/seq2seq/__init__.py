"""Seq2Seq: sequences of tokens into sequences of tokens, with recurrent or convolutional networks and attention."""
