"""From a call to the one function that answers it: the model's constraints, then behaviour, record or refusal.

It knows no HTTP and no resource of its own; the tables are handed to it by the house.
"""
