"""Sign-ins to registries by the API, and what a deploy asks of registries."""

from __future__ import annotations

from dataclasses import replace

import anyio
import httpx
import orjson
import pytest

from actors.protocol import DeployStack, SignIn, SignOut, UpdateService
from cluster.model import RegistryLogin
from cluster.pinning import Resolved
from cluster.registries import Credential
from portal import pins
from portal.api.app import create_api
from tests.actors.house import GlassVault
from tests.portal.build import NOW, SHOP, WEB, FakeNode, bearer, state

pytestmark = pytest.mark.anyio

HUB = "hub.example"
NERO, ROBOT = Credential("nero", "qualis-artifex"), Credential("robot", "beep")
DIGEST = "sha256:" + "1" * 64
FILE = replace(SHOP, services={"web": replace(WEB, image=f"{HUB}/web:1")})
SENT = {HUB: {"username": "nero", "password": "qualis-artifex"}}


def login(credential: Credential, stack: str = "") -> RegistryLogin:
    sealed = GlassVault().seal(HUB, stack, credential)
    return RegistryLogin(HUB, stack, credential.username, sealed, NOW)


def keep(node: FakeNode, *logins: RegistryLogin) -> None:
    node.state = replace(node.state, registries={one.key: one for one in logins})


def join(node: FakeNode) -> None:
    """A second machine, which may have another image of the same name."""
    one = next(iter(node.state.nodes.values()))
    node.state = replace(node.state, nodes={**node.state.nodes, "n2": replace(one, id="n2", name="rome-2")})


async def deploy(api: httpx.AsyncClient, **body: object) -> httpx.Response:
    answer = await api.put("/v1/stacks/shop", content=orjson.dumps({"spec": FILE, **body}))
    assert answer.status_code == 200, answer.text
    return answer


def sent(node: FakeNode) -> DeployStack:
    [command] = node.commands()
    assert isinstance(command, DeployStack)
    return command


async def test_a_sign_in_is_kept_sealed_once_the_registry_has_taken_it(api, node):
    answer = await api.put("/v1/registries/Hub.Example", json=SENT[HUB])
    assert answer.status_code == 200
    [command] = node.commands()
    assert isinstance(command, SignIn)
    assert (command.registry, command.username) == (HUB, "nero")
    assert GlassVault().open(replace(login(NERO), sealed=command.sealed)) == NERO
    assert "qualis" not in repr(command) + answer.text


async def test_a_sign_in_that_the_registry_does_not_take_is_not_kept(api, node):
    answer = await api.put(f"/v1/registries/{HUB}", json={"username": "nero", "password": "wrong"})
    assert answer.status_code == 409
    assert "does not know nero at hub.example" in answer.json()["detail"]
    assert node.commands() == []


@pytest.mark.parametrize("body", [{"username": "", "password": "x"}, {"username": "nero", "password": ""}])
async def test_an_empty_sign_in_is_refused(api, node, body):
    answer = await api.put(f"/v1/registries/{HUB}", json=body)
    assert answer.status_code == 422
    assert node.commands() == []


async def test_the_list_tells_who_is_signed_in_where_and_no_secret(api, node):
    keep(node, login(NERO, "shop"), login(ROBOT))
    answer = await api.get("/v1/registries")
    assert [(row["registry"], row["stack"], row["username"]) for row in answer.json()["items"]] == [
        (HUB, "", "robot"),
        (HUB, "shop", "nero"),
    ]
    assert "qualis" not in answer.text
    assert "beep" not in answer.text


async def test_signing_out_is_one_command(api, node):
    assert (await api.delete(f"/v1/registries/{HUB}")).status_code == 200
    assert node.commands() == [SignOut(HUB)]


@pytest.mark.parametrize(("role", "reads", "writes"), [("viewer", 200, 403), ("operator", 200, 403)])
async def test_the_cluster_s_sign_ins_are_an_admin_s_to_change(node, role, reads, writes):
    transport = httpx.ASGITransport(create_api(node.backend()))
    async with httpx.AsyncClient(transport=transport, base_url="https://gbnt", headers=bearer(role)) as client:
        assert (await client.get("/v1/registries")).status_code == reads
        assert (await client.put(f"/v1/registries/{HUB}", json=SENT[HUB])).status_code == writes
        assert (await client.delete(f"/v1/registries/{HUB}")).status_code == writes


async def test_a_deploy_pins_its_images_by_what_came_with_it_and_hands_that_on_sealed(api, node):
    node.tags[f"{HUB}/web:1"] = Resolved(DIGEST)
    answer = await deploy(api, registries=SENT)
    assert node.looked_up == [(f"{HUB}/web:1", NERO)]
    command = sent(node)
    assert command.spec.services["web"].digest == DIGEST
    [brought] = command.logins
    assert GlassVault().open(replace(login(NERO, "shop"), sealed=brought.sealed)) == NERO
    assert answer.json()["warnings"] == []
    assert "qualis" not in repr(command) + answer.text


async def test_a_sign_in_that_is_kept_already_is_no_news(api, node):
    keep(node, login(NERO, "shop"))
    await deploy(api, registries=SENT)
    assert sent(node).logins == ()


async def test_one_that_changed_is(api, node):
    keep(node, login(replace(NERO, password="old"), "shop"))
    await deploy(api, registries=SENT)
    assert [one.username for one in sent(node).logins] == ["nero"]


async def test_the_cluster_s_own_sign_in_counts_before_anybody_s(api, node):
    keep(node, login(ROBOT))
    await deploy(api, registries=SENT)
    assert node.looked_up == [(f"{HUB}/web:1", ROBOT)]
    assert sent(node).logins == ()


async def test_what_came_with_an_earlier_deploy_counts_where_none_comes_now(api, node):
    keep(node, login(NERO, "shop"))
    await deploy(api)
    assert node.looked_up == [(f"{HUB}/web:1", NERO)]


async def test_one_for_a_registry_that_no_image_names_goes_nowhere(api, node):
    await deploy(api, registries={"other.example": SENT[HUB]})
    assert sent(node).logins == ()


async def test_what_cannot_be_looked_up_is_deployed_with_a_warning(api, node):
    node.tags[f"{HUB}/web:1"] = Resolved(problem="the registry is not reached")
    join(node)
    answer = await deploy(api)
    [warning] = answer.json()["warnings"]
    assert "is not pinned" in warning
    assert "the registry is not reached" in warning
    assert sent(node).spec == FILE


async def test_what_cannot_be_looked_up_is_nothing_to_warn_of_where_there_is_one_machine(api, node):
    node.tags[f"{HUB}/web:1"] = Resolved(problem="the registry is not reached")
    assert (await deploy(api)).json()["warnings"] == []


async def test_a_registry_that_hangs_holds_no_deploy_up_for_ever(api, node, monkeypatch):
    join(node)
    monkeypatch.setattr(pins, "SECONDS", 0.05)
    monkeypatch.setattr(node, "digest", lambda image, credential: anyio.sleep_forever())
    answer = await deploy(api)
    assert "did not answer within" in answer.json()["warnings"][0]


async def test_never_asks_no_registry(api, node):
    await deploy(api, resolve="never")
    assert node.looked_up == []


async def test_an_update_to_another_image_is_pinned_too(api, node):
    node.tags["web:2"] = Resolved(DIGEST)
    answer = await api.post("/v1/services/shop/web/update", json={"image": "web:2"})
    assert answer.status_code == 200
    assert node.commands() == [UpdateService("shop/web", "web:2", DIGEST)]


async def test_a_service_and_its_tasks_show_the_tag_and_the_digest(node):
    pinned = replace(WEB, digest=DIGEST)
    node.state = state()
    service = replace(node.state.services["shop/web"], spec=pinned, revision=pinned.revision())
    node.state = replace(node.state, services={"shop/web": service})
    transport = httpx.ASGITransport(create_api(node.backend()))
    async with httpx.AsyncClient(transport=transport, base_url="https://gbnt", headers=bearer("viewer")) as client:
        row = (await client.get("/v1/services/shop/web")).json()
    assert (row["image"], row["digest"]) == ("web:1", DIGEST)
