"""Compose files read into specs, with the position of every key."""
