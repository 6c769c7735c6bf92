"""The house: plain Python that knows SageMaker and no HTTP.

Rooms are listed, with the direction of their imports, in `docs/architecture.md`; `make check` holds it.
"""
