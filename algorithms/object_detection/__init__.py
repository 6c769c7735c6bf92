"""Object Detection: a network (SSD) that says what a picture shows, and in which boxes."""
