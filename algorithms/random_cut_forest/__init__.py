"""Random Cut Forest: trees of random cuts through parts of the records, and how much a point would change them."""
