"""Measures what the library costs a small device. `../measure` is the entry."""
