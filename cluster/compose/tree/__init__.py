"""Bytes to a tree in which everything knows its place."""
