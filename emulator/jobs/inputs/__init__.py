"""What a job reads: its channels as values, the objects behind them, and the three ways that they reach a program.

`channel.py` reads a request; `intake.py` delivers a channel to one host: as files, as links, or through pipes.
"""
