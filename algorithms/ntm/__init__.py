"""NTM: a variational autoencoder of word counts whose code is a mixture of topics."""
