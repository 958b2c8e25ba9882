"""Configs from the file to the spec: where their contents come from, and where a service has them."""

from __future__ import annotations

import pytest

from cluster.configs import ConfigFile, ConfigSpec, encoded
from tests.cluster.compose.files import loaded, one_service, refused, service

CONFIGS = """
configs:
  made: {content: "port=${PORT}"}
  read: {file: ./app.conf, labels: {a: b}}
  told: {environment: SECRET_OF_NONE}
  theirs: {external: true, name: other_app}
"""


def test_contents_come_from_the_file_from_beside_it_and_from_the_environment() -> None:
    found = loaded(
        one_service("configs: [made, read, told, theirs]", CONFIGS),
        files={"app.conf": b"\x00\xff"},
        environment={"PORT": "80", "SECRET_OF_NONE": "hidden"},
    )
    assert found.spec.configs == {
        "made": ConfigSpec("shop_made", content=encoded(b"port=80")),
        "read": ConfigSpec("shop_read", content=encoded(b"\x00\xff"), labels={"a": "b"}),
        "told": ConfigSpec("shop_told", content=encoded(b"hidden")),
        "theirs": ConfigSpec("other_app", external=True),
    }
    assert found.refusals == ()


@pytest.mark.parametrize(
    ("entry", "file"),
    [
        ("made", ConfigFile("made", "/made")),
        ("{source: made, target: /etc/app.conf}", ConfigFile("made", "/etc/app.conf")),
        ("{source: made, target: conf/app}", ConfigFile("made", "/conf/app")),
        ("{source: made, uid: '7', gid: 8, mode: 0400}", ConfigFile("made", "/made", 7, 8, 0o400)),
    ],
)
def test_a_service_has_it_at_the_root_unless_it_says_otherwise(entry: str, file: ConfigFile) -> None:
    web = service(f"configs: [{entry}]", "configs: {made: {content: x}}\n")
    assert web.configs == (file,)


def test_an_id_is_a_number() -> None:
    (error,) = refused(one_service("configs: [{source: made, uid: nginx}]", "configs: {made: {content: x}}\n"))
    assert 'services.web.configs[0].uid: "nginx" is no id (write its number, as in "1000")' in error


def test_a_variable_that_is_not_set_keeps_the_stack_from_being_deployed() -> None:
    found = loaded(one_service("configs: [told]", CONFIGS))
    assert ["the variable SECRET_OF_NONE is not set" in one.message for one in found.refusals] == [True]
