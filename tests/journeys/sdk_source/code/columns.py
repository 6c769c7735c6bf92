"""A module beside the entry point."""


def split(rows):
    """The label and the features."""
    return rows[:, 0], rows[:, 1:]
