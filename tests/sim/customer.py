"""Somebody who keeps ordering changes of one stack, repeats each until it is answered, and knows what must be then."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from random import Random

import anyio

from actors import protocol
from cluster.configs import ConfigFile, ConfigSpec, encoded
from cluster.model import State
from cluster.spec import Attachment, Dependency, Healthcheck, NetworkSpec, Port, RestartPolicy, ServiceSpec, StackSpec
from tests.cluster.build import spec, stack
from tests.sim.orders import Ask, Excused, Note, Orders

File = Callable[[str, Random], StackSpec]

WEB = ("web:1", "web:2", "web:3")
NETWORKS = ("default", "back", "aside")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What was ordered of one service. `once`: it is one-off work."""

    image: str
    replicas: int = 1
    stopped: bool = False
    generation: int = 0
    once: bool = False


@dataclass(frozen=True, slots=True)
class Order:
    """A command, and what is wanted once it was accepted."""

    command: object
    wanted: Mapping[str, Wanted]
    excused: Excused = lambda refused: False


class Customer:
    """One stack's customer. Its orders follow from `random` and from earlier ones; `note` takes a line for the log.

    `file` writes the stack's compose file anew for each deploy.
    """

    def __init__(self, stack: str, random: Random, ask: Ask, note: Note, file: File | None = None) -> None:
        self.stack = stack
        self.wanted: Mapping[str, Wanted] = {}
        self.waiting = False
        self._file = file or shop
        self._random = random
        self._orders = Orders(stack, random, ask, note)
        self._generations: dict[str, int] = {}

    async def order(self, times: int) -> None:
        """Give so many orders, each until it was answered, and see each done."""
        for _ in range(times):
            await anyio.sleep(self._random.choice((0.0, 0.3, 4.0, 15.0)) * self._random.random())
            key = self._orders.key()
            self.waiting = True
            order = await self._choose(key)
            accepted = await self._orders.insist(order.command, key, order.excused)
            created = {name: 0 for name, what in accepted.changes.items() if what == "created"}
            self.wanted = {
                name: replace(one, generation=created.get(name, one.generation)) for name, one in order.wanted.items()
            }
            # A service that is taken back while it is being removed goes on counting.
            self._generations |= {name: one.generation for name, one in self.wanted.items()}
            self.waiting = False
            state = await self._orders.state()
            self.check(state)
            await self._orders.perhaps_repeat(state)

    def check(self, state: State) -> None:
        """Whether the cluster knows every order that was accepted, and followed none twice."""
        if self.waiting:
            return
        services = {one.name: one for one in state.services_of(self.stack) if not one.removing}
        known = {
            name: Wanted(one.spec.image, one.replicas, one.stopped, one.generation, name == "job")
            for name, one in services.items()
        }
        assert known == self.wanted, f"{self.stack} is {known} and was ordered to be {self.wanted}"

    async def _choose(self, request: str) -> Order:
        if not self.wanted:
            return self._deploy(request)
        choices = [self._deploy, self._deploy, self._scale, self._hold, self._hold_stack, self._restart, self._update]
        if self._random.random() < 0.15:
            return self._random.choice([self._remove_stack, self._remove_service])(request)
        if self._random.random() < 0.2:
            return await self._stop_task(request)
        return self._random.choice(choices)(request)

    def _deploy(self, request: str) -> Order:
        file = self._file(self.stack, self._random)
        wanted = {one.name: self._as_deployed(one) for one in file.services.values()}
        prune = self._random.random() < 0.5
        kept = {} if prune else self.wanted
        return Order(protocol.DeployStack(file, request=request, ahead=True, prune=prune), {**kept, **wanted})

    def _as_deployed(self, service: ServiceSpec) -> Wanted:
        return Wanted(
            service.image, service.replicas, False, self._generations.get(service.name, 0), service.name == "job"
        )

    def _scale(self, request: str) -> Order:
        name = self._random.choice([name for name in self.wanted if name != "job"])
        replicas = self._random.randint(0, 4) if name != "db" else 1
        return self._change(protocol.ScaleService(self._key(name), replicas, request), name, replicas=replicas)

    def _hold(self, request: str) -> Order:
        # Never the database alone: all that need it would wait for it, and rightly.
        if "db" in self.wanted and self.wanted["db"].stopped:
            return self._hold_stack(request)
        name = self._random.choice([name for name in self.wanted if name != "db"])
        stopped = not self.wanted[name].stopped
        return self._change(protocol.HoldService(self._key(name), stopped, request), name, stopped=stopped)

    def _hold_stack(self, request: str) -> Order:
        stopped = self._random.random() < 0.4
        wanted = {name: replace(one, stopped=stopped) for name, one in self.wanted.items()}
        return Order(protocol.HoldStack(self.stack, stopped, request), wanted)

    def _restart(self, request: str) -> Order:
        name = self._random.choice(list(self.wanted))
        command = protocol.UpdateService(self._key(name), force=True, request=request)
        return self._change(command, name, generation=self.wanted[name].generation + 1)

    def _update(self, request: str) -> Order:
        if "web" not in self.wanted:
            return self._deploy(request)
        image = self._random.choice(WEB)
        return self._change(protocol.UpdateService(self._key("web"), image, request=request), "web", image=image)

    def _remove_stack(self, request: str) -> Order:
        return Order(protocol.RemoveStack(self.stack, request=request), {})

    def _remove_service(self, request: str) -> Order:
        # The others may be needed by one that stays, and the last service goes with its stack.
        name = next((name for name in ("cache", "job") if name in self.wanted), "")
        if not name:
            return self._remove_stack(request)
        rest = {other: one for other, one in self.wanted.items() if other != name}
        return Order(protocol.RemoveService(self._key(name), request), rest)

    async def _stop_task(self, request: str) -> Order:
        state = await self._orders.state()
        tasks = sorted(task.id for task in state.tasks.values() if task.stack == self.stack)
        command = protocol.StopTask(self._random.choice(tasks) if tasks else "none", request)
        return Order(command, self.wanted, lambda refused: refused.code == "not_found")

    def _change(self, command: object, name: str, **fields: object) -> Order:
        return Order(command, {**self.wanted, name: replace(self.wanted[name], **fields)})  # type: ignore[arg-type]

    def _key(self, name: str) -> str:
        return f"{self.stack}/{name}"


def shop(stack_name: str, random: Random) -> StackSpec:
    """Services that need each other, on two networks, with ports, one-off work, and a config for each image of one."""
    image = random.choice(WEB)
    services = [
        spec(
            "web",
            image=image,
            configs=(ConfigFile("settings", "/etc/web.conf"),),
            replicas=random.randint(1, 3),
            networks=(Attachment("default"), Attachment("back")),
            depends_on=(Dependency("db", "service_healthy"),),
            ports=(Port(80, 8000, 8009),) if stack_name == "shop" else (),
        ),
        spec("db", image="db", healthcheck=Healthcheck(("CMD", "true"))),
        # On a network of its own, so that what it waits for is mostly on another machine.
        spec("agent", image=image, replicas=2, networks=(Attachment("aside"),), depends_on=(Dependency("db"),)),
    ]
    if random.random() < 0.4:
        services.append(spec("job", image="job", restart=RestartPolicy("on-failure")))
    if random.random() < 0.4:
        services.append(spec("cache", image="cache", replicas=2))
    networks = {key: NetworkSpec(f"{stack_name}_{key}") for key in NETWORKS}
    configs = {"settings": ConfigSpec(f"{stack_name}_settings", content=encoded(f"{stack_name}, {image}".encode()))}
    return stack(*services, name=stack_name, networks=networks, configs=configs)
