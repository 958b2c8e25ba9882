"""What the API needs in order to let machines join: a port, filled in where a node is wired together."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

Role = Literal["manager", "worker"]
Purpose = Literal["renew", "knock", "leave"]
"""What a node asks by a proof of who it is."""


class NotAdmitted(Exception):
    """Nobody passes by this token or proof. The text may be told to whoever came; `reason` is for the log."""

    def __init__(self, told: str, reason: str = "") -> None:
        super().__init__(told)
        self.reason = reason or told


@dataclass(frozen=True, slots=True)
class Certified:
    """A node's certificate as PEM, its serial as hex, and when it ends in seconds since the epoch."""

    certificate: str
    serial: str
    expires_at: float


class Gate(Protocol):
    """The cluster's authority as the API sees it. Keys stay behind it."""

    @property
    def authority(self) -> str:
        """The authority's certificate as PEM."""

    @property
    def api(self) -> str:
        """Where others reach this manager's API, as `HOST:PORT`."""

    @property
    def link_port(self) -> int:
        """The port of the links between nodes."""

    def issue(self, id: str, role: Role, expires_at: float) -> str:
        """The text of a join token."""

    def token_id(self, token: str) -> str:
        """The id of a join token of this cluster, which the state may say is worthless. Raises NotAdmitted."""

    def key_of(self, csr: str) -> str:
        """The fingerprint of the key that a request for a certificate proves to possess. Raises NotAdmitted."""

    def sign(self, csr: str, node: str, role: Role) -> Certified:
        """A certificate for a request that `key_of` took."""

    def prove(self, headers: Mapping[str, str], purpose: Purpose, is_member: Callable[[str], bool]) -> str:
        """The id of the node whose proof for that purpose the headers hold, once.

        Raises NotAdmitted, which tells nothing.
        """
