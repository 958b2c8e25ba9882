"""Tests of the container engine port and what stands behind it."""
