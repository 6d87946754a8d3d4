"""Helpers of all checks: the server as a process, requests to it, and the ids and tokens they use."""
