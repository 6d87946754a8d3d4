"""What operators see of the server: metrics, the board, alerts, probes and logs, read by the programs that are to read them."""
