"""Kills the server while clients write, and compares its state after a restart with what it had acknowledged."""
