"""The options of a node: from the command line, the environment and a file."""

from pathlib import Path

import pytest

from cli.config import merged, read_config
from cli.errors import BadInput
from cli.home import Home
from cli.options import ServeOptions
from tests.cli.conftest import Run


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> list[ServeOptions]:
    """The options of each node that was started, where none is really started."""
    started: list[ServeOptions] = []

    def run(options: ServeOptions) -> int:
        started.append(options)
        return 5

    monkeypatch.setattr("cli.serve.run", run)
    return started


def test_an_option_outweighs_its_variable_and_that_the_file(
    gbnt: Run, served: list[ServeOptions], home: Path, monkeypatch: pytest.MonkeyPatch
):
    (home / "gbnt.yaml").write_text("bind: 192.0.2.1\napi-port: 5000\nnode-name: gaul\nweb: false\n")
    monkeypatch.setenv("GBNT_CONFIG", str(home / "gbnt.yaml"))
    monkeypatch.setenv("GBNT_NODE_NAME", "rome")
    monkeypatch.setenv("GBNT_BIND", "192.0.2.2")
    monkeypatch.setenv("GBNT_API_TOKEN", "gbnt_1_secret")
    ran = gbnt("serve", "--bind", "192.0.2.3")
    assert ran.status == 5
    assert served == [
        ServeOptions(home / "data", "192.0.2.3", api_port=5000, node_name="rome", api_token="gbnt_1_secret")
    ]
    assert "secret" not in repr(served)


def test_the_web_ui_is_announced_as_missing(gbnt: Run, served: list[ServeOptions], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("GBNT_WEB", "1")
    assert gbnt("serve").err == "the web UI is not in this release yet: --web changes nothing\n"


def test_a_node_keeps_its_name_and_another_is_refused(home: Path):
    place = Home(home / "data")
    first = place.identity("rome", lambda: "id")
    place.keep(first)
    assert [place.identity(name, lambda: "other") for name in ("", "rome")] == [first, first]
    with pytest.raises(BadInput, match="this node is called rome and cannot be renamed to gaul: leave --node-name out"):
        place.identity("gaul", lambda: "other")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("bind: 0.0.0.0\nbnid: 1\n", ':2:1: there is no option "bnid" (did you mean "bind"?)'),
        ("api-port: four\n", ":1:1: \"api-port\" must be a int, not 'four'"),
        ("api-port: true\n", ':1:1: "api-port" must be a int, not True'),
        (
            "api-token: x\n",
            ':1:1: "api-token" is a secret: put it into a file of its own and name that in GBNT_API_TOKEN_FILE',
        ),
        ("bind: a\nbind: b\n", ':2:1: "bind" is there twice; keep one'),
        ("- a\n", " must be a mapping"),
        ("a: [\n", "cannot read the options in "),
    ],
)
def test_a_wrong_file_is_answered_by_its_line(home: Path, text: str, said: str):
    path = home / "gbnt.yaml"
    path.write_text(text)
    with pytest.raises(BadInput) as refused:
        read_config(path)
    assert said in str(refused.value)


def test_a_file_that_is_empty_or_missing(home: Path):
    (home / "gbnt.yaml").write_text("# nothing\n")
    assert read_config(home / "gbnt.yaml") == {}
    with pytest.raises(BadInput, match="cannot read"):
        read_config(home / "other.yaml")


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("api_port", 0, "no port"),
        ("api_port", 4002, "choose two"),
        ("bind", "rome", "no IP address"),
        ("api_names", "rome.example,a b", '"a b" is no host'),
        ("api_names", "rome..example", "is no host"),
        ("api_names", f"{'a' * 64}.example", "is no host"),
        ("api_names", ".".join(["a" * 60] * 5), "is no host"),
        ("api_names", "fe80::1%eth0", "is no host"),
        ("log_level", "loud", "none of debug, info"),
        ("network_pool", "10.0.0.1/8", "write it as"),
        ("network_pool", "fd00::/48", "is not IPv4, and gbnt's networks are"),
        ("network_pool", "10.64.0.0/25", "too small: each network takes a /24;"),
        ("network_pool", "10.64.0.0", "too small"),
        ("network_pool", "127.0.0.0/16", "addresses that no container may have"),
        ("network_pool", "0.0.0.0/0", "addresses that no container may have"),
    ],
)
def test_a_wrong_value_is_refused_before_anything_starts(name: str, value: object, said: str):
    with pytest.raises(BadInput, match=said):
        merged({name: value}, {})


def test_names_of_every_kind_are_taken():
    names = f"rome,*.rome.example,{'a' * 63}.example,192.0.2.1,2001:db8::1"
    assert merged({"api_names": names}, {}).api_names == names


@pytest.mark.parametrize("pool", ["", "10.64.0.0/10", "192.168.7.0/24"])
def test_a_pool_of_one_subnet_or_more_is_taken(pool: str):
    assert merged({"network_pool": pool}, {}).network_pool == pool
