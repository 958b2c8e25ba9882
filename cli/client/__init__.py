"""The manager's API v1 as typed methods: what the commands call, a method for each thing that a person may ask."""

from __future__ import annotations

from cli.client.access import Access
from cli.client.cluster import Cluster
from cli.client.images import Images
from cli.client.nodes import Nodes
from cli.client.provisions import Provisions
from cli.client.services import Services
from cli.client.stacks import Stacks
from cli.client.tasks import Tasks
from cli.client.upkeep import Upkeep


class Client(Cluster, Nodes, Stacks, Services, Tasks, Provisions, Images, Upkeep, Access):
    """One manager. Answers are the API's, field for field, of the types that its endpoints name.

    Those are the manager's own, for type checkers alone: at run time an answer is JSON's objects and lists. To ask one
    for a field that it lacks raises CliError, for then it is no manager's. Every method raises what Session raises.
    """
