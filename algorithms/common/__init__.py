"""What every algorithm shares: the /opt/ml contract, content types and the serving loop. Knows no single algorithm."""
