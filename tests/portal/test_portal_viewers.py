"""What often holds secrets in a compose file is for operators: viewers see that it is there, and not what it says."""

import re
from dataclasses import replace

import pytest

from cluster.model import revision_key
from cluster.revisions import StackRevision
from cluster.spec import Build, Logging
from portal.api.app import ENDPOINTS
from tests.portal.build import NOW, SHOP, WEB, bearer, state, task

pytestmark = pytest.mark.anyio

PATHS = {"name": "shop", "stack": "shop", "service": "web", "node": "rome", "task": "shop-web-1", "path": "senate"}
SECRET = "sentinel-of-a-secret"
READS = [one for one in ENDPOINTS if one.access == "viewer" and one.shape in ("one", "list")]
SPECS = ("/v1/stacks/shop", "/v1/services/shop/web", "/v1/stacks/shop/revisions/1")


@pytest.fixture
def full(node):
    """A node whose stack has a secret wherever files have them."""
    web = replace(
        WEB,
        environment={"PASSWORD": SECRET, "EMPTY": ""},
        build=Build("/src", args={"TOKEN": SECRET}),
        logging=Logging("splunk", {"splunk-token": SECRET}),
    )
    volumes = {"data": replace(SHOP.volumes["data"], options={"o": f"password={SECRET}"})}
    shop = replace(SHOP, services={"web": web}, volumes=volumes)
    base = state(task(1, web), task(2, web))
    node.state = replace(
        base,
        stacks={"shop": replace(base.stacks["shop"], spec=shop)},
        services={"shop/web": replace(base.services["shop/web"], spec=web, revision=web.revision())},
        revisions={revision_key("shop/web", web.revision()): web},
        stack_revisions={"shop/1": StackRevision("shop", 1, NOW, "admin's", {"web": "created"}, shop)},
    )
    return node


def path_of(endpoint):
    return re.sub(r"{(\w+)(?::path)?}", lambda part: PATHS.get(part[1], "1"), endpoint.path)


@pytest.mark.usefixtures("full")
async def test_no_path_tells_a_viewer_what_an_environment_says(api):
    answers = {one.name: await api.get(path_of(one), headers=bearer("viewer")) for one in READS}
    assert {name for name, answer in answers.items() if SECRET in answer.text} == set()
    shown = {name for name, answer in answers.items() if answer.status_code == 200 and "PASSWORD" in answer.text}
    assert shown == {"stacks.show", "services.show", "revisions.show"}, "the walk did not come by what it is for"


@pytest.mark.usefixtures("full")
@pytest.mark.parametrize("path", SPECS)
async def test_the_keys_stay_and_an_operator_sees_the_values(api, path):
    def service(answer):
        spec = answer.json()["spec"]
        return spec["services"]["web"] if "services" in spec else spec

    viewed, worked = [service(await api.get(path, headers=bearer(role))) for role in ("viewer", "operator")]
    assert viewed["environment"] == {"PASSWORD": None, "EMPTY": None}
    assert viewed["build"]["args"] == {"TOKEN": None}
    assert viewed["logging"]["options"] == {"splunk-token": None}
    assert worked["environment"] == {"PASSWORD": SECRET, "EMPTY": ""}
    del worked["environment"], worked["build"], worked["logging"], viewed["environment"], viewed["build"]
    del viewed["logging"]
    assert viewed == worked
