"""What Docker's refusals mean: its status codes and English sentences, translated once into the port's exceptions.

Docker tells kinds of failure apart in prose alone (a port that is taken and a runtime that is broken are both a 500),
and its prose changes between versions. So the table matches the words that have lasted from 20.10 to 29, and what it
does not know is passed on whole, in a `Refused`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from engine.port import (
    AddressTaken,
    Conflict,
    DiskFull,
    EngineError,
    EngineUnavailable,
    ImageDenied,
    ImageLimited,
    ImageMissing,
    ImageUnavailable,
    NameTaken,
    NotFound,
    PortTaken,
    Refused,
    RegistryUnreachable,
)

MOST_SHOWN = 60


@dataclass(frozen=True, slots=True)
class _Rule:
    """Words of Docker, and ours for them; `{0}` and so on are the pattern's groups, `{subject}` what was asked for."""

    pattern: re.Pattern[str]
    kind: type[EngineError]
    text: str


def _rule(pattern: str, kind: type[EngineError], text: str) -> _Rule:
    return _Rule(re.compile(pattern, re.IGNORECASE | re.DOTALL), kind, text)


_PORT = r"(?:for|listen tcp\d?|listen udp\d?|host port)\s+(?:for\s+)?(?:\[[0-9a-f:]*\]|::|[\d.]*):(\d+)"

_ANY_CALL = (
    _rule(r"no space left on device", DiskFull, "no space is left on the disk where the Docker Engine keeps its data"),
    _rule(
        r"containerd\.sock|transport is closing|code = Unavailable|context canceled|daemon is shutting down",
        EngineUnavailable,
        "the Docker Engine is stopping or has lost containerd: {message}",
    ),
)

_CONTAINER = (
    _rule(
        rf"{_PORT}.*(?:port is already allocated|address already in use)",
        PortTaken,
        "port {0} of this machine is already in use; publish another one or stop what holds it",
    ),
    _rule(
        r"port is already allocated|all ports are allocated|bind: address already in use",
        PortTaken,
        "no port of this machine is left for it; publish others or stop what holds them",
    ),
    _rule(r"address already in use", AddressTaken, "an address of {subject} is already in use on its network"),
    _rule(
        r'container name "/?([^"]+)" is already in use',
        NameTaken,
        'another container has the name "{0}"; remove it first',
    ),
    _rule(r"no such image:? ?([^\s]*)", NotFound, "image {0} is not on this machine; pull it first"),
    _rule(r"network ([^\s]+) not found", NotFound, "network {0} is not on this machine"),
    _rule(r"container \S+ is not running", Conflict, "{subject} does not run; see why with `gbnt task ls`"),
    _rule(r"no such container", NotFound, "{subject} does not exist on this machine"),
    _rule(
        r'exec: \\?"([^"\\]+)\\?":? (?:stat [^\s:]+: )?(?:executable file not found|no such file)',
        Refused,
        'the image has no command "{0}"; correct command or entrypoint',
    ),
    _rule(
        r'exec: \\?"([^"\\]+)\\?":? permission denied', Refused, 'the command "{0}" of the image may not be executed'
    ),
    _rule(
        r"bind source path does not exist: (.+)",
        Refused,
        "the path {0} to mount does not exist on this machine; make it first",
    ),
    _rule(
        r"image with reference (\S+) was found but does not match the specified platform: wanted ([^\s,]+), "
        r"actual: (\S+)",
        Refused,
        "the image {0} on this machine is for {2}, and {1} is asked for; remove the image here, or correct platform",
    ),
    _rule(
        r"could not select device driver .*?with capabilities: (\[\S+)",
        Refused,
        "the Docker Engine has no driver for devices with the capabilities {0}; install one on this machine (for GPUs "
        "of NVIDIA its container toolkit), or keep the service to machines that have it",
    ),
    _rule(
        r"logging driver does not support reading",
        Refused,
        "the log driver of {subject} cannot be read back; use json-file or local",
    ),
)

_NETWORK = (
    _rule(r"network with name (\S+) already exists", NameTaken, "another network has the name {0}"),
    _rule(
        r"overlaps with other one|address already in use|conflicts with network",
        AddressTaken,
        "the subnet of {subject} overlaps one that this machine has already",
    ),
    _rule(r"has active endpoints|in use", Conflict, "{subject} still has containers on it; remove them first"),
)

_VOLUME = (
    _rule(r"volume is in use", Conflict, "{subject} is still used by a container; remove that first"),
    _rule(r"already exists with the (\S+) driver", NameTaken, "{subject} is there already, made by the driver {0}"),
)

_IMAGE = (
    _rule(
        r"is using its referenced image|is being used by \w+ container",
        Conflict,
        "{subject} is still used by a container; remove that first",
    ),
)

_USAGE = (
    _rule(
        r"disk usage operation is already running",
        Conflict,
        "the Docker Engine adds up its files for somebody else just now; ask again when it is done",
    ),
)

_DENIED = r"pull access denied|access to the resource is denied|unauthorized|no basic auth|denied:|403 forbidden"

_PULL = (
    _rule(
        r"toomanyrequests|rate limit|too many requests",
        ImageLimited,
        "the registry gives no more for now ({subject})",
    ),
    _rule(_DENIED, ImageDenied, "the registry denies {subject}"),
    _rule(
        r"manifest unknown|not found: manifest|name unknown|repository .* not found|not found$|no such image",
        ImageMissing,
        "the registry has no {subject}; check its name and tag",
    ),
    _rule(
        r"no matching manifest for (\S+)", ImageUnavailable, "{subject} is not made for this machine's platform, {0}"
    ),
    _rule(r"invalid reference format", ImageUnavailable, "{subject} is not a valid image name"),
    _rule(
        r"lookup (\S+?):? .*(?:no such host|server misbehaving|i/o timeout|failure|connection refused)",
        RegistryUnreachable,
        "the registry {0} of {subject} is not found by name; check the name and this machine's DNS",
    ),
    _rule(
        r"dial tcp|Client\.Timeout|deadline exceeded|TLS handshake timeout|i/o timeout",
        RegistryUnreachable,
        "the registry of {subject} is not reached ({message})",
    ),
    _rule(r"x509|certificate", ImageUnavailable, "the registry's certificate for {subject} is not trusted ({message})"),
    _rule(
        r"HTTP status:? 5\d\d|status code 5\d\d",
        RegistryUnreachable,
        "the registry of {subject} is out of order ({message})",
    ),
    _rule(r".*", ImageUnavailable, "{subject} cannot be pulled: {message}"),
)

_SIGN_IN = (
    _rule(
        rf"{_DENIED}|incorrect username or password",
        ImageDenied,
        "the registry does not know {subject} by this password",
    ),
    _rule(
        r"dial tcp|lookup |Client\.Timeout|deadline exceeded|timeout",
        RegistryUnreachable,
        "the registry is not reached to sign in {subject} ({message})",
    ),
    _rule(r".*", ImageUnavailable, "the registry does not sign in {subject}: {message}"),
)

_TABLES = {
    "container": _CONTAINER,
    "network": _NETWORK,
    "volume": _VOLUME,
    "image": _IMAGE,
    "usage": _USAGE,
    "pull": _PULL,
    "sign-in": _SIGN_IN,
}
_BY_STATUS: dict[int, type[EngineError]] = {404: NotFound, 409: Conflict, 403: Refused}


def refusal(area: str, subject: str, status: int, message: str) -> EngineError:
    """The exception for what Docker answered.

    `area` is what was asked about: `container`, `network`, `volume`, `image`, `usage`, `pull`, `sign-in`, or something
    that has no words of its own. `subject` names it for a person (`container shop-web-1`). `status` is HTTP's, 0 for an
    error in a stream.
    """
    words = " ".join(message.split())
    for rule in (*_ANY_CALL, *_TABLES.get(area, ())):
        if found := rule.pattern.search(words):
            groups = [group or "" for group in found.groups()]
            return rule.kind(rule.text.format(*groups, subject=subject, message=words))
    if status == 404:
        return NotFound(f"{subject} does not exist on this machine")
    return _BY_STATUS.get(status, Refused)(f"the Docker Engine refused {subject}: {words}")


def unreachable(host: str, problem: str) -> EngineUnavailable:
    """The exception for an engine at `host` that did not answer; `problem` is what the operating system said."""
    if "ermission denied" in problem:
        advice = "this user may not open it; run gbnt as root, or add the user to the group docker"
    elif "certificate verify failed" in problem:
        advice = (
            "no authority of this machine vouches for its certificate; with DOCKER_TLS_VERIFY=1 the one in "
            "DOCKER_CERT_PATH does"
        )
    elif "refused" in problem or "No such file" in problem or "Cannot connect" in problem:
        advice = "start it with `systemctl start docker`"
    else:
        advice = problem or "the connection broke"
    return EngineUnavailable(f"the Docker Engine at {host} does not answer; {advice}")


def no_engine(host: str, said: str) -> EngineUnavailable:
    """The exception for what answered at `host` and `said` no JSON. What begins as such may have secrets."""
    begun = " ".join(said.split())[:MOST_SHOWN]
    shown = "JSON that is broken" if begun[:1] in ("{", "[") else f'"{begun}"' if begun else "nothing that can be read"
    return EngineUnavailable(f"what answers at {host} is no Docker Engine: it said {shown}; see what listens there")
