"""The commands, a module each: `options(parser)` and `run(options) -> exit status`. Their table is in `sagelet.cli`.

None imports another room; what they ask of a running server goes through `sagelet.places`.
"""
