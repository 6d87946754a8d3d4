"""Restarts the server under load, at a socket that stays open, as an upgrade with systemd does."""
