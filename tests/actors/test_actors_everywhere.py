"""A global service has a task on each machine: on one that gets tasks later, and again on one that comes back."""

from pathlib import Path

import pytest

from actors import protocol
from cluster.model import State
from tests.actors.house import of
from tests.actors.legion import MANAGER, legion
from tests.actors.test_actors_legion import plain
from tests.actors.test_actors_membership import status
from tests.cluster.build import spec, stack

pytestmark = pytest.mark.anyio


def on(*machines: str):
    """Whether one task runs on each of these machines, and none elsewhere."""

    def look(state: State) -> bool:
        tasks = of(state, "shop/agent")
        return sorted(task.node for task in tasks if task.serving) == sorted(machines) and len(tasks) == len(machines)

    return look


async def test_a_machine_gets_its_own_when_it_gets_tasks_and_one_that_comes_back_has_it_still(tmp_path: Path):
    async with legion(tmp_path, "rome-2", "rome-3", engine=plain) as one:
        await one.manager.order(protocol.UpdateNode("rome-3", availability="pause"))
        agent = spec("agent", image="web", mode="global")
        await one.manager.order(protocol.DeployStack(stack(agent)))
        state = await one.manager.until(on(MANAGER, "rome-2"), within=10.0)
        before = {task.node: task.id for task in of(state, "shop/agent")}
        await one.manager.order(protocol.UpdateNode("rome-3", availability="active"))
        state = await one.manager.until(on(MANAGER, "rome-2", "rome-3"), within=10.0)
        one.part("rome-2")
        await one.manager.until(lambda state: state.nodes["rome-2"].replaced, within=10.0)
        one.join("rome-2")
        await one.manager.until(status("rome-2", "ready"), within=20.0)
        state = await one.manager.until(on(MANAGER, "rome-2", "rome-3"), within=20.0)
        assert before.items() <= {task.node: task.id for task in of(state, "shop/agent")}.items()
        await one.manager.order(protocol.UpdateNode("rome-3", availability="drain"))
        await one.manager.until(on(MANAGER, "rome-2"), within=10.0)
