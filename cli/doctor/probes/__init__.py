"""What is looked at, and nothing decided: each probe gives a fact, or `Unseen` with the reason."""
