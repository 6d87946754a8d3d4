"""Kills the server while clients write, and holds what it comes back with to what it had acknowledged."""
