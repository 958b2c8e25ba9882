"""What a firewall keeps from this node, and the one command that lets it in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from cli.doctor.facts import Firewall
from cli.doctor.finding import Finding, Unseen, ok, unseen, warning
from cli.options import API_PORT, LINK_PORT

# The last is VXLAN's, for networks that span machines.
WANTED = ((API_PORT, "tcp"), (LINK_PORT, "tcp"), (4789, "udp"))
NAMES = 53


def judged(firewalls: Sequence[Firewall] | Unseen, pool: str) -> Iterator[Finding]:
    """Whether others reach the ports of a node through the firewall, and this machine's containers its resolver.

    Control of a worker needs none of the former. `pool` is the range (CIDR) that containers have their addresses from.
    """
    if isinstance(firewalls, Unseen):
        yield unseen("firewall", firewalls)
    elif not firewalls:
        yield ok("firewall", "neither ufw nor firewalld is active")
    else:
        yield from (_one(firewall, pool) for firewall in firewalls)


def _one(firewall: Firewall, pool: str) -> Finding:
    check = f"firewall {firewall.zone}".rstrip()
    sources = {(port, protocol): _sources(firewall, port, protocol) for port, protocol in WANTED}
    closed = [f"{port}/{protocol}" for (port, protocol), source in sources.items() if source is None]
    nameless = () if _names_pass(firewall, pool) else (f"containers' questions for names ({NAMES})",)
    if closed or nameless:
        found = f"{firewall.tool} keeps out {', '.join((*closed, *nameless))}"
        return warning(check, found, _command(firewall, closed, pool if nameless else ""))
    limited = sorted({source for source in sources.values() if source})
    some = f", some from {', '.join(limited)} alone" if limited else ""
    return ok(check, f"{firewall.tool} lets a node's ports in{some}")


def _names_pass(firewall: Firewall, pool: str) -> bool:
    """Whether containers reach the gateway of their network, which is this machine. firewalld has a zone for them."""
    sources = (_sources(firewall, NAMES, protocol) for protocol in ("udp", "tcp"))
    return firewall.tool == "firewalld" or all(
        source is not None and (not source or pool in source.split(", ")) for source in sources
    )


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


def _command(firewall: Firewall, closed: Sequence[str], pool: str) -> str:
    if firewall.tool == "ufw":
        names = (f"from {pool} to any port {NAMES}",) if pool else ()
        return " && ".join(f"sudo ufw allow {rule}" for rule in (*closed, *names))
    added = " ".join(f"--add-port={port}" for port in closed)
    return f"sudo firewall-cmd --permanent --zone={firewall.zone} {added} && sudo firewall-cmd --reload"
