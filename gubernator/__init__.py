"""Gubernator: compose files on a few Linux machines as one, supervised and explained."""

__version__ = "0.1.0"
