"""The cluster's actors: the Senate, nodes, services, tasks and the agent of each machine."""
