"""Bounds that the readers of files and the checks of specs share."""

MOST_REPLICAS = 10_000
MOST_CPUS = 100_000.0
LARGEST_PORT = 65535
