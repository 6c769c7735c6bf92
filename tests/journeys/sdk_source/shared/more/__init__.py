"""A package from elsewhere, which `dependencies=` packs."""

WORD = "from the dependency"
