"""Common ground of the algorithms that look at pictures: reading, augmenting, learning and answering. No algorithm."""
