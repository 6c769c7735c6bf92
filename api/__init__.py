"""The front door: HTTP in, HTTP out. The only room that knows Flask and a WSGI server.

It may import `emulator.house`, `emulator.operations`, `emulator.spec` and the floor (errors, call, settings, ids),
and nothing else of the house; it knows no kind, no job and no endpoint.
"""
