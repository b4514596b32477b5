"""Map tiles may come through the site: a real tile server sees the site, and never a citizen."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.test import Client

from parking import tiles
from tests.site_settings import read_settings

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 100
OF_HELSINKI = (16, 37308, 18970)


class TileServer(ThreadingHTTPServer):
    """Answers every tile with what the test wants."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.status, self.headers, self.body, self.wait_s = (
            200,
            {"Content-Type": "image/png"},
            PNG,
            0.0,
        )

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: TileServer

    def do_GET(self) -> None:
        self.server.asked.append((self.path, dict(self.headers)))
        time.sleep(self.server.wait_s)
        self.send_response(self.server.status)
        for name, value in self.server.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(self.server.body)))
        self.end_headers()
        self.wfile.write(self.server.body)

    def log_message(self, *args: Any) -> None:
        pass


@pytest.fixture
def server(settings: Any) -> Iterator[TileServer]:
    server = TileServer()
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    settings.MAP_TILES_PROXY = True
    settings.MAP_TILES_URL = server.url + "/secret-path/{z}/{x}/{y}.png"
    tiles._client.cache_clear()
    yield server
    server.shutdown()
    server.server_close()


def get(client: Client, zoom: int, x: int, y: int, **headers: str) -> Any:
    return client.get(f"/map/tiles/{zoom}/{x}/{y}", headers=headers)


def test_a_tile_comes_through_and_nothing_of_the_visitor_goes_along(
    client: Client, server: TileServer
) -> None:
    client.cookies["sessionid"] = "s3cret" * 5
    spoken = {"user-agent": "Citizen/1", "referer": "http://x/?place=home", "accept-language": "fa"}
    answer = get(client, *OF_HELSINKI, **spoken)
    assert (answer.status_code, answer.content) == (200, PNG)
    assert answer["Content-Type"] == "image/png"
    assert answer["Cache-Control"].startswith("public, max-age=86400")
    assert "Cookie" not in answer.get("Vary", "")
    assert answer.cookies == {}
    [(path, headers)] = server.asked
    assert path == "/secret-path/16/37308/18970.png"
    assert {name.lower() for name in headers} <= {
        *("host", "accept", "accept-encoding", "connection", "user-agent")
    }
    assert headers["User-Agent"].startswith("Curblight/")


@pytest.mark.parametrize(
    "place",
    [
        (16, 37308, 65536),
        (16, 65536, 18970),
        (21, 1193856, 607040),
        (3, 8, 2),
        (99999999, 0, 0),
        (16, 0, 0),  # of another place
        (16, 37308, 28970),
    ],
)
def test_what_is_no_tile_of_the_city_is_not_asked_for(
    client: Client, server: TileServer, place: tuple[int, int, int]
) -> None:
    assert get(client, *place).status_code == 404
    assert server.asked == []


@pytest.mark.parametrize(
    "path", ["/map/tiles/16/-1/5", "/map/tiles/16/1/2.png", "/map/tiles/a/b/c", "/map/tiles/1/../2"]
)
def test_nothing_but_three_numbers_is_an_address(
    client: Client, server: TileServer, path: str
) -> None:
    assert client.get(path).status_code == 404
    assert server.asked == []


def test_the_whole_world_is_shown_when_zoomed_out(client: Client, server: TileServer) -> None:
    assert get(client, 3, 4, 2).status_code == 200


@pytest.mark.parametrize(
    ("status", "kind", "body", "answered"),
    [
        (200, "text/html", b"<script>", 502),
        (200, "image/svg+xml", b"<svg onload='x()'/>", 502),
        (200, "image/png", b"x" * (tiles.LARGEST + 1), 502),
        (500, "image/png", PNG, 502),
        (302, "image/png", PNG, 502),
        (404, "text/plain", b"none", 404),
    ],
)
def test_only_a_picture_of_a_reasonable_size_is_passed_on(
    client: Client, server: TileServer, status: int, kind: str, body: bytes, answered: int
) -> None:
    server.status, server.body = status, body
    server.headers = {"Content-Type": kind, "Location": f"{server.url}/admin"}
    answer = get(client, *OF_HELSINKI)
    assert answer.status_code == answered
    assert body not in answer.content
    assert "public" not in answer["Cache-Control"]
    assert len(server.asked) == 1, "a redirect was followed"


def test_a_tile_server_that_hangs_or_is_away_costs_little(
    client: Client, server: TileServer, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    monkeypatch.setattr(tiles, "_TIMEOUT", 0.1)
    tiles._client.cache_clear()
    server.wait_s = 0.4
    assert get(client, *OF_HELSINKI).status_code == 502
    settings.MAP_TILES_URL = "http://127.0.0.1:9/{z}/{x}/{y}.png"
    answer = get(client, *OF_HELSINKI)
    assert (answer.status_code, answer.content) == (502, b"The map is away.\n")
    tiles._client.cache_clear()


def test_one_visitor_gets_so_many_and_not_more(
    client: Client, server: TileServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("parking.throttling.TileThrottle.rate", "2/min", raising=False)
    assert [get(client, *OF_HELSINKI).status_code for _ in range(3)] == [200, 200, 429]


def test_without_the_setting_there_is_no_such_address(
    client: Client, server: TileServer, settings: Any
) -> None:
    settings.MAP_TILES_PROXY = False
    assert get(client, *OF_HELSINKI).status_code == 404
    assert server.asked == []


def test_the_setting_keeps_the_tile_server_out_of_pages_and_their_policy(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("MAP_TILES_URL", "https://tiles.example.org/{z}/{x}/{y}.png")
    for proxied, hosts in (("0", ["https://tiles.example.org"]), ("1", [])):
        monkeypatch.setenv("MAP_TILES_PROXY", proxied)
        found = read_settings()
        images = found["CONTENT_SECURITY_POLICY"]["DIRECTIVES"]["img-src"]
        assert [source for source in images if "example.org" in source] == hosts
        [(_name, address, _options)] = found["LEAFLET_CONFIG"]["TILES"]
        assert ("tiles.example.org" in address) == (proxied == "0")


@pytest.mark.parametrize(
    ("url", "proxied"),
    [
        ("", "1"),
        ("https://{s}.example.org/{z}/{x}/{y}.png", "1"),
        ("https://tiles.example.org/{z}/{x}.png", "0"),
        ("file:///etc/{z}/{x}/{y}", "0"),
    ],
)
def test_a_bad_address_of_tiles_stops_the_start(
    monkeypatch: pytest.MonkeyPatch, url: str, proxied: str
) -> None:
    monkeypatch.setenv("MAP_TILES_URL", url)
    monkeypatch.setenv("MAP_TILES_PROXY", proxied)
    with pytest.raises(ImproperlyConfigured, match="MAP_TILES"):
        read_settings()
