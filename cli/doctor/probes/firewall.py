"""The firewalls that Debian and Ubuntu (ufw), and Red Hat and SUSE (firewalld) bring, in their own words."""

from __future__ import annotations

import os
import re
import shutil
import subprocess

from cli.doctor.facts import Firewall, Rule
from cli.doctor.finding import Unseen

PATIENCE = 10.0
SYSTEM = ":/usr/sbin:/sbin"  # which a person's PATH may lack

UFW_RULE = re.compile(r"^(\d+)(?::(\d+))?(?:/(tcp|udp))?\s+(ALLOW|LIMIT|DENY|REJECT)(?: IN)?\s+(\S+)", re.MULTILINE)
NOT_RUNNING = 252  # firewall-cmd(1)
PORTS = re.compile(r"^(\d+)(?:-(\d+))?/(tcp|udp)$")


class _Failed(Exception):
    """A tool did not answer; the text is its first line."""


def firewalls() -> tuple[Firewall, ...] | Unseen:
    """Those that are active."""
    try:
        return (*_ufw(), *_firewalld())
    except _Failed as error:
        return Unseen(str(error))


def ufw_of(status: str) -> tuple[Firewall, ...]:
    """By `ufw status verbose`. Rules for version 6 alone, for an interface and for an application are not read."""
    if "Status: active" not in status:
        return ()
    found = (match.groups() for match in UFW_RULE.finditer(status))
    rules = (
        Rule(
            int(first),
            int(last or first),
            protocol or "",
            "" if source == "Anywhere" else source,
            allows=action in ("ALLOW", "LIMIT"),
        )
        for first, last, protocol, action, source in found
    )
    return (Firewall("ufw", "Default: allow (incoming)" in status, tuple(rules)),)


def firewalld_of(zone: str, listing: str) -> Firewall:
    """By `firewall-cmd --zone=ZONE --list-all`."""
    lines = dict(line.strip().partition(": ")[::2] for line in listing.splitlines() if ": " in line)
    found = (match for word in lines.get("ports", "").split() if (match := PORTS.match(word)))
    rules = (Rule(int(one[1]), int(one[2] or one[1]), one[3]) for one in found)
    return Firewall("firewalld", lines.get("target") == "ACCEPT", tuple(rules), zone)


def _ufw() -> tuple[Firewall, ...]:
    tool = _tool("ufw")
    return ufw_of(_said(tool, "status", "verbose")) if tool else ()


def _firewalld() -> tuple[Firewall, ...]:
    tool = _tool("firewall-cmd")
    if not tool or _run(tool, "--state").returncode == NOT_RUNNING:
        return ()
    # An interface that is in no zone is in the default one, which is listed as active only where one was put there.
    active = [line for line in _said(tool, "--get-active-zones").splitlines() if line and not line.startswith(" ")]
    zones = dict.fromkeys([_said(tool, "--get-default-zone").strip(), *(line.split()[0] for line in active)])
    return tuple(firewalld_of(zone, _said(tool, f"--zone={zone}", "--list-all")) for zone in zones)


def _tool(name: str) -> str:
    return shutil.which(name, path=os.environ.get("PATH", "") + SYSTEM) or ""


def _said(*command: str) -> str:
    ended = _run(*command)
    if ended.returncode:
        words = (ended.stderr or ended.stdout).strip().splitlines() or [f"exit {ended.returncode}"]
        raise _Failed(f"{os.path.basename(command[0])} does not say ({words[0]})")
    return ended.stdout


def _run(*command: str) -> subprocess.CompletedProcess[str]:
    english = {**os.environ, "LC_ALL": "C"}
    try:
        return subprocess.run(
            command,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            env=english,
            stdin=subprocess.DEVNULL,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise _Failed(f"{os.path.basename(command[0])} does not say ({error})") from error
