"""Runs our own implementations as sandboxed processes, forked from zygotes that have imported the heavy libraries.

`executor`, `run` and `zygotes` are the server's side; `entry`, `warm`, `supervisor`, `sandbox` and `program` are what
the other processes run. Those import only the standard library and each other, so that a fork stays small.
Paths are texts here: they are sent, prefixed and mounted, and name another file after a change of root.
"""
