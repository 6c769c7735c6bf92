"""Runs our own implementations as sandboxed processes, forked from zygotes that have imported the heavy libraries.

`executor` and `zygotes` are the server's side; `entry`, `warm`, `supervisor`, `sandbox` and `program` are what the other
processes run. Those import only the standard library and each other, and nothing here imports them into the server.
"""
