"""What happens besides record keeping: one file a family, each with its OPERATIONS, REACTIONS and COMPUTED rows.

A behaviour checks what the model cannot express, writes records through `rooms.resources` and hands work to the
engines. It does no work itself and knows no HTTP.
"""

from emulator.behaviours import hosting, invocations, training, transform

FAMILIES = (training, transform, hosting, invocations)

OPERATIONS: tuple[tuple[str, str, str], ...] = tuple(row for family in FAMILIES for row in family.OPERATIONS)
"""(service, operation, "module:function"): function(rooms, call) -> answer."""

REACTIONS: tuple[tuple[str, str, str], ...] = tuple(
    row for family in FAMILIES for row in getattr(family, "REACTIONS", ())
)
"""("created" | "updated" | "deleted", noun, "module:function"): function(rooms, record) -> None."""

COMPUTED: tuple[tuple[str, str, str], ...] = tuple(
    row for family in FAMILIES for row in getattr(family, "COMPUTED", ())
)
"""(noun, member of Describe, "module:function"): function(rooms, record) -> value or None."""
