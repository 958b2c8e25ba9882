"""Messages between nodes: codec, delivery, links and identity."""
