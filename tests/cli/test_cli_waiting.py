"""`--wait`, `--detach` and `--timeout`: the same for every command that may wait, whichever it does by itself."""

from pathlib import Path

import pytest

from tests.cli.conftest import Run
from tests.cli.manager import Answer, Lines, Manager, listing
from tests.cli.rows import stack, verdict

CHANGES = {
    "service scale shop/web=3": ("POST /v1/services/shop/web/scale", False),
    "service update shop/web --force": ("POST /v1/services/shop/web/update", False),
    "service restart shop/web": ("POST /v1/services/shop/web/restart", False),
    "service stop shop/web": ("POST /v1/services/shop/web/stop", False),
    "service start shop/web": ("POST /v1/services/shop/web/start", False),
    "service rm shop/web": ("DELETE /v1/services/shop/web", False),
    "stack deploy": ("PUT /v1/stacks/shop", True),
    "stack stop shop": ("POST /v1/stacks/shop/stop", True),
    "stack start shop": ("POST /v1/stacks/shop/start", True),
    "stack rm shop": ("DELETE /v1/stacks/shop", True),
}


@pytest.fixture(autouse=True)
def shop(manager: Manager, home: Path) -> None:
    """A manager that has made every change at once."""
    (home / "compose.yaml").write_text("name: shop\nservices: {web: {image: busybox}}\n")
    manager.on("GET /v1/stacks/shop", Answer(stack()))
    manager.on("GET /v1/volumes", listing())
    for change, _ in CHANGES.values():
        manager.on(change, Answer({"revision": 8, "changes": {}, "detail": {}}))


def waited(manager: Manager) -> bool:
    return any(asked.path == "/v1/stacks/shop/progress" for asked in manager.asked)


@pytest.mark.parametrize("line", CHANGES)
@pytest.mark.parametrize(
    "option", ["", "--wait", "--detach", "-d", "--timeout=9", "--timeout=2m", "--wait --timeout 9"]
)
def test_every_change_takes_every_option(gbnt: Run, manager: Manager, line: str, option: str):
    manager.on("GET /v1/stacks/shop/progress", Lines(verdict("removed" if line == "stack rm shop" else "converged")))
    ran = gbnt(*line.split(), *option.split())
    assert (ran.status, ran.err.count("error")) == (0, 0)
    expected = {"": CHANGES[line][1], "-d": False, "--detach": False}
    assert waited(manager) is expected.get(option, True)


@pytest.mark.parametrize("line", CHANGES)
@pytest.mark.parametrize("options", ["--wait --detach", "--detach --timeout 5"])
def test_opposites_are_wrong_usage_and_change_nothing(gbnt: Run, manager: Manager, line: str, options: str):
    ran = gbnt(*line.split(), *options.split())
    assert ran.status == 2
    assert "leave out one; see `gbnt " in ran.err
    assert not manager.asked


@pytest.mark.parametrize("line", ["service restart shop/web --timeout 0", "stack stop shop --timeout 0"])
def test_no_command_waits_longer_than_it_was_told(gbnt: Run, manager: Manager, line: str):
    manager.on("GET /v1/stacks/shop/progress", Lines({"type": "tasks", "revision": 8, "tasks": []}, verdict()))
    ran = gbnt(*line.split())
    assert (ran.status, ran.err.splitlines()[-1]) == (1, "error: shop is not settled after 0 s")


def test_a_scale_changes_all_before_it_waits(gbnt: Run, manager: Manager):
    for service in ("shop/api", "wiki/web"):
        manager.on(f"POST /v1/services/{service}/scale", Answer({"revision": 9, "changes": {}}))
    for name in ("shop", "wiki"):
        manager.on(f"GET /v1/stacks/{name}/progress", Lines(verdict()))
    assert gbnt("service", "scale", "shop/web=2", "wiki/web=2", "shop/api=2", "--wait").status == 0
    assert [(asked.path, asked.query.get("after")) for asked in manager.asked if asked.method == "GET"] == [
        ("/v1/stacks/shop/progress", "9"),
        ("/v1/stacks/wiki/progress", "9"),
    ]
    assert [asked.method for asked in manager.asked] == ["POST"] * 3 + ["GET"] * 2
