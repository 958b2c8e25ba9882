"""The specification's rules of merging, as a table: what is not in it is merged plainly."""

from __future__ import annotations

from cluster.compose.joining import shapes
from cluster.compose.joining.merge import ANY, Rule
from cluster.compose.tree.nodes import Mapping, Node, Scalar

REPLACED = Rule(replaces=True)
_PAIRS = Rule(shapes.pairs, keys={ANY: REPLACED})
_WORDS = Rule(shapes.words)
_HOSTS = Rule(shapes.hosts)
_CONFIGS = Rule(called=shapes.granted("/"), keys={ANY: REPLACED})
_SECRETS = Rule(called=shapes.granted("/run/secrets"), keys={ANY: REPLACED})
_LIMIT = Rule(replaces_where=lambda base, over: not (isinstance(base, Mapping) and isinstance(over, Mapping)))


def _other_driver(base: Node, over: Node) -> bool:
    """Options of one log driver mean nothing to another."""
    one, two = _driver(base), _driver(over)
    return bool(one and two and one != two)


def _driver(node: Node) -> str:
    entry = node.entries.get("driver") if isinstance(node, Mapping) else None
    return entry.value.text if entry and isinstance(entry.value, Scalar) else ""


_BUILD = Rule(
    shapes.context,
    keys={
        "args": _PAIRS,
        "labels": _PAIRS,
        "additional_contexts": _PAIRS,
        "extra_hosts": _HOSTS,
        "ulimits": Rule(keys={ANY: _LIMIT}),
    },
)
SERVICE = Rule(
    keys={
        "annotations": _PAIRS,
        "build": _BUILD,
        "command": REPLACED,
        "configs": _CONFIGS,
        "depends_on": Rule(shapes.gates),
        "deploy": Rule(keys={"labels": _PAIRS}),
        "devices": Rule(called=shapes.device, keys={ANY: REPLACED}),
        "dns": _WORDS,
        "dns_opt": _WORDS,
        "dns_search": _WORDS,
        "entrypoint": REPLACED,
        "env_file": _WORDS,
        "environment": _PAIRS,
        "extra_hosts": _HOSTS,
        "gpus": Rule(shapes.requests),
        "healthcheck": Rule(keys={"test": REPLACED}),
        "label_file": _WORDS,
        "labels": _PAIRS,
        "logging": Rule(replaces_where=_other_driver),
        "models": Rule(shapes.names),
        "networks": Rule(shapes.names),
        "secrets": _SECRETS,
        "sysctls": _PAIRS,
        "tmpfs": _WORDS,
        "ulimits": Rule(keys={ANY: _LIMIT}),
        "volumes": Rule(called=shapes.mount, keys={ANY: REPLACED}),
    }
)
_LABELLED = Rule(keys={ANY: Rule(keys={"labels": _PAIRS})})
_IPAM = Rule(keys={"config": Rule(called=shapes.subnet)})
FILE = Rule(
    keys={
        "configs": _LABELLED,
        "networks": Rule(keys={ANY: Rule(keys={"labels": _PAIRS, "ipam": _IPAM})}),
        "secrets": _LABELLED,
        "services": Rule(keys={ANY: SERVICE}),
        "volumes": _LABELLED,
    }
)
