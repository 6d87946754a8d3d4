"""What the checks share: the server as a process, requests to it, and the names they use."""
