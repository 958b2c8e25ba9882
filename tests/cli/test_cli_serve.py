"""The options of a node: from the command line, the environment and a file; and the systemd unit."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from cli.config import merged, read_config
from cli.errors import BadInput, CliError
from cli.options import ServeOptions
from cli.systemd import install
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
        ("log_level", "loud", "none of debug, info"),
        ("network_pool", "10.0.0.1/8", "write it as"),
    ],
)
def test_a_wrong_value_is_refused_before_anything_starts(name: str, value: object, said: str):
    with pytest.raises(BadInput, match=said):
        merged({name: value}, {})


def machine(home: Path) -> Path:
    """The root of a machine that systemd runs."""
    (home / "run/systemd/system").mkdir(parents=True)
    (home / "etc/systemd/system").mkdir(parents=True)
    return home


def test_install_writes_a_unit_and_starts_it(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    root, ran = machine(home), []
    monkeypatch.setenv("GBNT_API_TOKEN_FILE", "/etc/gbnt.token")

    def run(words: Sequence[str]) -> int:
        ran.append(" ".join(words))
        return 0

    options = ServeOptions(Path("/srv/my data"), node_name="50%$", api_token="hidden")
    install(options, root=root, run=run, program=Path("/usr/bin/gbnt"))

    unit = (root / "etc/systemd/system/gubernator.service").read_text()
    assert (
        "ExecStart=/usr/bin/gbnt serve --data-dir '/srv/my data' --bind 0.0.0.0 --api-port 4000 "
        "--telemetry-port 4002 --log-level info --node-name '50%%$$'\n" in unit
    )
    assert "KillMode=process\n" in unit
    assert 'Environment="GBNT_API_TOKEN_FILE=/etc/gbnt.token"\n' in unit
    assert "hidden" not in unit
    assert ran == [
        "systemctl daemon-reload",
        "systemctl enable gubernator.service",
        "systemctl restart gubernator.service",
    ]
    assert "starts with the machine" in capsys.readouterr().out


def test_install_says_what_stands_in_its_way(home: Path):
    options = ServeOptions(home)
    with pytest.raises(CliError, match="not run by systemd"):
        install(options, root=home)
    root = machine(home)
    with pytest.raises(CliError, match="`systemctl daemon-reload` failed"):
        install(options, root=root, run=lambda words: 1)
    (root / "etc/systemd/system/gubernator.service").unlink()
    (root / "etc/systemd/system").rmdir()
    with pytest.raises(CliError, match="run this as root"):
        install(options, root=root)
