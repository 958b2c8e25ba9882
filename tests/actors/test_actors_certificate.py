"""A node's certificate is renewed in time, and when a manager says so."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
import pytest

from actors import protocol
from actors.certificate import CertificateActor, Held, NotRenewed
from actors.machine import Machine
from supervisor.actor import Actor, Context
from supervisor.spec import ChildSpec, SupervisorSpec
from supervisor.system import System
from tests.actors.house import CLUSTER, time_of_day

pytestmark = pytest.mark.anyio

LIFE = 1000.0


class Keys:
    """A certificate that lasts 1,000 s, and a manager that may not answer."""

    def __init__(self) -> None:
        self.made: list[float] = []
        self.trouble = ""
        self._take()

    @property
    def held(self) -> Held:
        return Held(f"s{len(self.made)}", self.made[-1] + LIFE / 2, self.made[-1] + LIFE)

    async def renew(self) -> None:
        await anyio.sleep(1.0)
        if self.trouble:
            raise NotRenewed(self.trouble)
        self._take()

    def _take(self) -> None:
        self.made.append(time_of_day())


class Notary(Actor):
    """Stands in the Senate's place, and keeps what it is told."""

    def __init__(self) -> None:
        self.told: list[object] = []

    async def receive(self, message: object, ctx: Context) -> None:
        self.told.append(message)


@asynccontextmanager
async def node(keys: Keys, manager: str = "") -> AsyncIterator[tuple[System, Notary]]:
    system, senate = System("n1", clock=time_of_day), Notary()
    machine = Machine("n1", "gaul", "192.0.2.1", CLUSTER, "b1", manager)
    children = (
        ChildSpec("senate", lambda: senate),
        ChildSpec("certificate", lambda: CertificateActor(keys, machine, time_of_day)),
    )
    async with anyio.create_task_group() as group:
        await group.start(system.run, SupervisorSpec(children=children))
        yield system, senate
        system.stop()


async def test_it_is_renewed_at_half_of_its_life_again_and_again():
    keys = Keys()
    async with node(keys, "n0"):
        await anyio.sleep(4 * LIFE / 2 + 300)
    begun = keys.made[0]
    assert [at - begun for at in keys.made[1:]] == pytest.approx([540, 1080, 1620, 2160], abs=20)
    lives = [later - earlier for earlier, later in zip(keys.made, keys.made[1:], strict=False)]
    assert max(lives) < LIFE


async def test_one_that_is_not_renewed_is_asked_for_again_and_said():
    keys = Keys()
    keys.trouble = "no manager answers"
    async with node(keys, "n0") as (system, _):
        await anyio.sleep(LIFE / 2 + 100)
        assert system.inspect("certificate")[0].detail["problem"] == "no manager answers"
        assert len(keys.made) == 1
        keys.trouble = ""
        await anyio.sleep(30)
        assert len(keys.made) == 2
        assert system.inspect("certificate")[0].detail["problem"] == ""


async def test_a_manager_s_word_is_enough_and_counts_once_at_a_time():
    keys = Keys()
    async with node(keys, "n0") as (system, senate):
        for _ in range(3):
            system.ref("certificate").tell(protocol.RenewCertificate())
        await anyio.sleep(10)
        assert len(keys.made) == 2
        assert senate.told == []  # the manager that signed it has told its Senate


async def test_a_manager_tells_its_senate_which_certificate_it_has():
    keys = Keys()
    async with node(keys) as (system, senate):
        await anyio.sleep(1)
        assert senate.told == [protocol.CertifyNode("n1", "s1", keys.made[0] + LIFE)]
        system.ref("certificate").tell(protocol.RenewCertificate())
        await anyio.sleep(2)
        assert senate.told[-1] == protocol.CertifyNode("n1", "s2", keys.made[1] + LIFE)
