"""The local extension API under /_sagelet: a module a topic, with `routes(app, door)`. What it does, the house does.

`openapi.json` describes every route; a test compares the two. Only reading is done by GET, and a body is JSON by its
Content-Type, which a form in a web page cannot send.
"""

TOPICS: tuple[str, ...] = (
    "api.extension.about",
    "api.extension.clock",
    "api.extension.faults",
    "api.extension.functions",
    "api.extension.proxy",
    "api.extension.requests",
    "api.extension.state",
)
"""Imported when the first page is asked for."""
