"""Documents for people: what is exported as PDF. Knows neither records nor requests; holds no state."""
