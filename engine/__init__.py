"""The container engine behind one port: Docker, and a fake with faults."""
