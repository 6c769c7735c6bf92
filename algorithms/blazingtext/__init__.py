"""BlazingText: vectors of words, and classes of texts, in fastText's own files."""
