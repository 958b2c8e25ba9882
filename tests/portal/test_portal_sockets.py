"""Listening sockets, and the one sentence when there can be none."""

import os
import socket
import stat
from pathlib import Path

import pytest

from portal.sockets import DoorError, describe, holder, listen, listen_unix


def test_a_socket_takes_connections_before_it_is_served():
    with listen("127.0.0.1", 0) as sock, socket.create_connection(sock.getsockname()):
        assert describe(sock).startswith("127.0.0.1:")


def test_a_port_that_is_taken_names_who_has_it():
    with listen("127.0.0.1", 0) as sock:
        port = sock.getsockname()[1]
        with pytest.raises(DoorError) as refused:
            listen("127.0.0.1", port)
    own = Path("/proc/self/comm").read_text().strip()
    expected = f"port {port} on 127.0.0.1 is taken by {own} (pid {os.getpid()}): stop that, or choose another port"
    assert str(refused.value) == expected


def test_an_address_of_another_machine_is_named():
    with pytest.raises(DoorError, match=r"cannot listen on 192\.0\.2\.1: this machine has no such address"):
        listen("192.0.2.1", 0)


def test_a_port_that_nobody_has_has_no_holder():
    with listen("127.0.0.1", 0) as sock:
        port = sock.getsockname()[1]
    assert holder(port) == ""


def test_where_proc_tells_nothing_nobody_is_named(tmp_path):
    assert holder(80, proc=tmp_path) == ""


def test_an_ipv6_address_is_shown_in_brackets():
    with listen("::1", 0) as sock:
        assert describe(sock).startswith("[::1]:")


def test_a_unix_socket_is_its_owner_s_alone_and_takes_the_place_of_an_old_one(tmp_path):
    path = tmp_path / "admin.sock"
    listen_unix(path).close()
    with listen_unix(path) as sock:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert describe(sock) == str(path)
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(str(path))


def test_a_file_where_the_socket_should_be_is_left_alone(tmp_path):
    path = tmp_path / "admin.sock"
    path.write_text("mine")
    with pytest.raises(DoorError, match="is there and no socket"):
        listen_unix(path)
    assert path.read_text() == "mine"


def test_a_path_that_cannot_be_bound_is_named(tmp_path):
    with pytest.raises(DoorError, match="cannot listen on"):
        listen_unix(tmp_path / "missing" / "admin.sock")
