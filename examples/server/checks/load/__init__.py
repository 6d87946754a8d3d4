"""What requests cost: how many a second, how long each takes, how much of its processor time is the directory's."""
