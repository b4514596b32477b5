"""A port that is taken is named, and the next free one is used instead."""

import socket
from collections.abc import Iterator

import pytest

from scripts.environment import Ports, is_free
from scripts.places import SetupError


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


def test_a_port_with_a_listener_is_not_free(taken: int) -> None:
    assert not is_free(taken)


def test_a_port_whose_last_connection_winds_down_is_free() -> None:
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as web servers do
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)):
            accepted, _ = listener.accept()
            accepted.close()  # the server closes first: its side waits for a minute
    assert is_free(port)


def test_the_next_free_port_is_taken_and_the_change_is_told(taken: int) -> None:
    ports, changes = Ports(web=taken, sandbox=taken, meters=taken, line=taken).free()
    chosen = {ports.web, ports.sandbox, ports.meters, ports.line}
    assert taken not in chosen
    assert len(chosen) == 4
    assert changes[0] == f"Port {taken} is in use; the site takes {ports.web}."
    assert len(changes) == 4


def test_free_ports_stay_as_they_were_asked_for() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    ports, changes = Ports(web=port).free()
    assert ports.web == port
    assert not any(str(port) in change for change in changes)


@pytest.mark.parametrize("text", ["0", "65536", "-1", "8000.5", "web"])
def test_a_port_that_is_none_is_refused_by_its_name(text: str) -> None:
    with pytest.raises(SetupError, match="SANDBOX_PORT must be a port"):
        Ports.wanted({"SANDBOX_PORT": text})
