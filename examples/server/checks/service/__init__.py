"""Puts the server into service as its README says, on a machine of its own with a real systemd."""
