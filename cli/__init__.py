"""The command line, and the composition root that wires a node together."""
