"""Measures requests: their rate, their latency, and the directory's share of their processor time."""
