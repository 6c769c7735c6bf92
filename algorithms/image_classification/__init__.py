"""Image Classification: a residual network that says what a picture shows."""
