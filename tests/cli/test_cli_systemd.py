"""The systemd unit: its text, and what stands in the way of it. tests/repository has it run by a real systemd."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from cli.errors import BadInput, CliError, NotFound
from cli.options import ServeOptions
from cli.systemd import install, retire, uninstall
from cli.unit import data_dir_of, unit_text
from tests.cli.conftest import Run


@pytest.fixture
def root(home: Path) -> Path:
    """The root of a machine that systemd runs."""
    (home / "run/systemd/system").mkdir(parents=True)
    (home / "etc/systemd/system").mkdir(parents=True)
    return home


class Systemd:
    """Remembers what it was asked, and refuses what begins with `refused`."""

    def __init__(self, refused: str = "nothing") -> None:
        self.asked: list[str] = []
        self._refused = refused

    def __call__(self, words: Sequence[str]) -> int:
        self.asked.append(" ".join(words))
        return int(self.asked[-1].startswith(self._refused))


def test_install_writes_a_unit_and_starts_it(root: Path, capsys: pytest.CaptureFixture[str]):
    systemd = Systemd()
    environment = {"GBNT_API_TOKEN_FILE": "/etc/gbnt.token", "DOCKER_HOST": "tcp://127.0.0.1:2375", "PATH": "/bin"}
    options = ServeOptions(root / "my data", node_name='50%$"\\', api_token="hidden")
    install(options, root=root, run=systemd, program=("/usr/bin/gbnt",), environment=environment)

    unit = (root / "etc/systemd/system/gubernator.service").read_text()
    assert (
        f'ExecStart=/usr/bin/gbnt serve --data-dir "{root}/my data" --bind 0.0.0.0 --api-port 4000 '
        '--telemetry-port 4002 --link-port 4003 --log-level info --node-name "50%%$$\\"\\\\"\n' in unit
    )
    assert "Environment=GBNT_API_TOKEN_FILE=/etc/gbnt.token\nEnvironment=DOCKER_HOST=tcp://127.0.0.1:2375\n" in unit
    assert unit.count("Environment=") == 2
    assert "hidden" not in unit
    assert systemd.asked == [
        "systemctl daemon-reload",
        "systemctl enable --quiet gubernator.service",
        "systemctl restart gubernator.service",
    ]
    assert capsys.readouterr().out.endswith(f"shows its log\nstate: {root}/my data\n")


@pytest.mark.parametrize("data", ["/srv/gbnt", "/srv/my data", "/a\\b", "/50% of $HOME \"a\" 'b'", "/$$/%%"])
def test_a_data_directory_is_read_from_the_unit_as_it_was_written(data: str):
    assert data_dir_of(unit_text(ServeOptions(Path(data)), ("/bin/gbnt",), {})) == Path(data)


def test_a_unit_names_the_api_as_it_was_told():
    text = unit_text(ServeOptions(Path("/srv"), api_names="rome.example,192.0.2.1"), ("/bin/gbnt",), {})
    assert " --api-names rome.example,192.0.2.1" in text


def test_what_is_in_the_environment_of_a_unit_is_quoted():
    text = unit_text(ServeOptions(Path("/srv")), ("/opt/a b/$x/gbnt",), {"A": "50% $b"})
    assert '\nEnvironment="A=50%% $b"\n' in text
    assert 'ExecStart="/opt/a b/$x/gbnt" serve' in text


def test_install_says_what_stands_in_its_way(root: Path):
    options = ServeOptions(root / "data")
    with pytest.raises(CliError, match="`systemctl daemon-reload` failed"):
        install(options, root=root, run=Systemd("systemctl daemon-reload"))
    starts = Systemd("systemctl restart")
    with pytest.raises(CliError, match="does not start, and is tried again each second"):
        install(options, root=root, run=starts)
    assert starts.asked[-1].startswith("journalctl ")
    with pytest.raises(BadInput, match="put it into a file and name that in GBNT_API_TOKEN_FILE"):
        install(options, root=root, run=Systemd(), environment={"GBNT_API_TOKEN": "gbnt_1_secret"})
    (root / "etc/systemd/system/gubernator.service").unlink()
    (root / "etc/systemd/system").rmdir()
    with pytest.raises(CliError, match="run this as root, with sudo"):
        install(options, root=root)


def test_a_machine_without_systemd_is_told_what_to_do(home: Path):
    for act in (lambda: install(ServeOptions(home), root=home), lambda: uninstall(root=home)):
        with pytest.raises(CliError, match="not run by systemd"):
            act()


def test_uninstall_removes_the_unit_and_says_what_stays(root: Path, capsys: pytest.CaptureFixture[str]):
    systemd = Systemd()
    install(ServeOptions(root / "my data"), root=root, run=Systemd())
    capsys.readouterr()
    uninstall(root=root, run=systemd)
    assert systemd.asked == ["systemctl disable --quiet --now gubernator.service", "systemctl daemon-reload"]
    assert not (root / "etc/systemd/system/gubernator.service").exists()
    assert f"--runtime-dir '{root}/my data/run'`" in capsys.readouterr().out
    with pytest.raises(NotFound, match="gbnt is no service of this machine"):
        uninstall(root=root, run=systemd)


def test_the_unit_of_a_node_that_is_none_any_more_goes_and_no_other(root: Path, capsys: pytest.CaptureFixture[str]):
    systemd = Systemd()
    retire(root / "data", root=root, run=systemd)
    install(ServeOptions(root / "my data"), root=root, run=Systemd())
    retire(root / "data", root=root, run=systemd)
    assert systemd.asked == []
    retire(root / "my data", root=root, run=systemd)
    assert systemd.asked == ["systemctl disable --quiet --now gubernator.service", "systemctl daemon-reload"]
    assert not (root / "etc/systemd/system/gubernator.service").exists()
    install(ServeOptions(root / "my data"), root=root, run=Systemd())
    with pytest.raises(CliError, match=r"`systemctl disable .*` failed"):
        retire(root / "my data", root=root, run=Systemd("systemctl disable"))


def test_a_unit_of_somebody_elses_writing_is_removed_too(root: Path, capsys: pytest.CaptureFixture[str]):
    (root / "etc/systemd/system/gubernator.service").write_text("[Service]\nExecStart=/bin/gbnt serve\n")
    uninstall(root=root, run=Systemd())
    assert "--runtime-dir DIR/run`" in capsys.readouterr().out


def test_one_cannot_install_and_uninstall(gbnt: Run):
    assert gbnt("serve", "--install", "--uninstall").err == (
        "error: --install and --uninstall are opposites: choose one\n"
    )
