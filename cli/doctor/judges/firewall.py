"""What a firewall keeps from this node, and the one command that lets it in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from cli.doctor.facts import Firewall
from cli.doctor.finding import Finding, Unseen, ok, unseen, warning
from cli.options import API_PORT, LINK_PORT

# The last is VXLAN's, for networks that span machines.
WANTED = ((API_PORT, "tcp"), (LINK_PORT, "tcp"), (4789, "udp"))


def judged(firewalls: Sequence[Firewall] | Unseen) -> Iterator[Finding]:
    """Whether others reach the ports of a node through the firewall. Control of a worker needs none of them."""
    if isinstance(firewalls, Unseen):
        yield unseen("firewall", firewalls)
    elif not firewalls:
        yield ok("firewall", "neither ufw nor firewalld is active")
    else:
        yield from map(_one, firewalls)


def _one(firewall: Firewall) -> Finding:
    check = f"firewall {firewall.zone}".rstrip()
    sources = {(port, protocol): _sources(firewall, port, protocol) for port, protocol in WANTED}
    closed = [f"{port}/{protocol}" for (port, protocol), source in sources.items() if source is None]
    if closed:
        return warning(check, f"{firewall.tool} keeps out {', '.join(closed)}", _command(firewall, closed))
    limited = sorted({source for source in sources.values() if source})
    some = f", some from {', '.join(limited)} alone" if limited else ""
    return ok(check, f"{firewall.tool} lets a node's ports in{some}")


def _sources(firewall: Firewall, port: int, protocol: str) -> str | None:
    """From where a port is reached: empty is from everywhere, None from nowhere."""
    sources: list[str] = []
    for rule in firewall.rules:
        if not rule.first <= port <= rule.last or rule.protocol not in ("", protocol):
            continue
        if not rule.source:
            return "" if rule.allows else ", ".join(sources) or None
        sources += [rule.source] if rule.allows else []
    return "" if firewall.open else ", ".join(sources) or None


def _command(firewall: Firewall, closed: Sequence[str]) -> str:
    if firewall.tool == "ufw":
        return " && ".join(f"sudo ufw allow {port}" for port in closed)
    added = " ".join(f"--add-port={port}" for port in closed)
    return f"sudo firewall-cmd --permanent --zone={firewall.zone} {added} && sudo firewall-cmd --reload"
