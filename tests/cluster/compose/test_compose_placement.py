"""`deploy.placement`: what tasks are spread over and packed by, and what is said of what is none of that."""

import pytest

from cluster.spec import Placement
from tests.cluster.compose.files import loaded, refused

FILE = """\
services:
  web:
    image: busybox
    deploy:
      placement: {%s}
"""


@pytest.mark.parametrize(
    ("text", "placement"),
    [
        (
            "preferences: [{spread: node.labels.zone}, {spread: node.labels.rack}]",
            Placement(spread=("node.labels.zone", "node.labels.rack")),
        ),
        (
            "preferences: [{spread: node.platform.arch}, {x-binpack: true}]",
            Placement(spread=("node.platform.arch",), binpack=True),
        ),
        ("preferences: [{x-binpack: false}]", Placement()),
        (
            'constraints: ["gbnt.node.disk in (ssd,nvme)", "node.services != db"]',
            Placement(("node.labels.disk in (ssd, nvme)", "node.services != db")),
        ),
    ],
)
def test_placement_is_read(text: str, placement: Placement):
    assert loaded(FILE % text).spec.services["web"].placement == placement


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("preferences: [{spread: node.services}]", '"node.services" is nothing that machines differ in'),
        ("preferences: [{}]", "prefers nothing (write it as in"),
        ("preferences: [{x-binpak: true}]", "prefers nothing (write it as in"),
        ("constraints: [node.labels.disk ~ ssd]", "is no constraint: no operator at column 18"),
        ("constraints: [node.services exists]", "asks for exists of node.services"),
    ],
)
def test_what_is_no_placement_is_said_at_its_line(text: str, said: str):
    assert [said in line and ":5:" in line for line in refused(FILE % text)].count(True) == 1


@pytest.mark.parametrize(("text", "mode"), [("mode: global", "global"), ("mode: replicated", "replicated")])
def test_a_service_is_on_each_machine_or_has_a_number_of_replicas(text: str, mode: str):
    file = f"services: {{web: {{image: busybox, deploy: {{{text}}}}}}}"
    assert loaded(file).spec.services["web"].mode == mode
    assert any("is not supported yet" in line for line in refused(file.replace(text, "mode: global-job")))
