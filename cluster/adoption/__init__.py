"""Taking over what `docker compose` runs on one engine: what is there, what the stack is to be, and what differs."""
