"""What every test shares: one hypothesis profile, and the rule for tests that need a real engine."""

import os
import socket

import httpcore  # noqa: F401 - all of it, which cli.http would not import; other tests speak HTTP/2
import hypothesis
import pytest

ENGINE_SOCKET = "/var/run/docker.sock"

# Repeatable runs: a failure found once is found again. `make soak` takes fresh examples by --hypothesis-profile=soak.
hypothesis.settings.register_profile("repeatable", derandomize=True, deadline=None)
hypothesis.settings.register_profile("soak", max_examples=5_000, deadline=None)
hypothesis.settings.load_profile("repeatable")


@pytest.fixture(autouse=True)
def engine_answers(request: pytest.FixtureRequest) -> None:
    """Skip a test marked `engine` where no Docker Engine answers; where CI is set, fail it."""
    if request.node.get_closest_marker("engine") is None or _connects(ENGINE_SOCKET):
        return
    reason = f"no Docker Engine answers at {ENGINE_SOCKET}; `make setup` installs and starts one"
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


def _connects(path: str) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(path)
        except OSError:
            return False
    return True
