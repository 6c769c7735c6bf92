"""What jobs run: one folder per built-in algorithm. Payload: imports no other room; of it the house imports the catalogue."""
