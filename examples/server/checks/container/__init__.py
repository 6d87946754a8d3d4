"""Builds the image, and runs it as operators do."""
