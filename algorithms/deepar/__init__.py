"""DeepAR: one autoregressive recurrent network for many time series, which forecasts in sample paths."""
