"""Bounds that the readers of files and the checks of specs share."""

MOST_REPLICAS = 10_000
LARGEST_PORT = 65535
