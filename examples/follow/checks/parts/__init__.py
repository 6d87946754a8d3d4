"""The programs that the checks start, each of which can be cut and started again."""
