"""The street over HTTP: where meters are called, the page that shows it, the control of faults."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from parking.meter_protocol import PROBLEM, plan_as_json, problem, stamp
from parking.simulator.clock import FASTEST, VirtualClock, sleep
from parking.simulator.device import Device
from parking.simulator.engine import Street
from parking.simulator.fault_files import FaultsRefused, parse_faults
from parking.simulator.faults import CARELESS, KINDS
from parking.simulator.http import Ending, Request, Response

_PAGE = Path(__file__).with_name("page")
_FILES = {
    "/": ("street.html", "text/html; charset=utf-8"),
    "/street.css": ("street.css", "text/css; charset=utf-8"),
    "/street.js": ("street.js", "text/javascript; charset=utf-8"),
    "/icon.svg": ("icon.svg", "image/svg+xml"),
}
_PLAN = re.compile(r"/(?:.*/)?v1/meters/([^/]+)/plan")
_METER = re.compile(r"/meters/([^/]+)\.json")
_CARS = re.compile(r"/_control/meters/([^/]+)/cars")
_REBOOT = re.compile(r"/_control/meters/([^/]+)/reboot")
_SAFE = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


class App:
    """Answers all requests to the simulator."""

    def __init__(self, street: Street) -> None:
        self._street = street
        self._files = {
            path: Response(body=(_PAGE / name).read_bytes(), content_type=kind, headers=_SAFE)
            for path, (name, kind) in _FILES.items()
        }

    async def __call__(self, request: Request) -> Response:
        """Answer a request; unknown addresses get a 404."""
        if found := _PLAN.fullmatch(request.path):
            if request.method != "PUT":
                return _refuse(405, "method_not_allowed", "Plans are PUT here.", Allow="PUT")
            return await self._plan(found[1], request)
        if request.path.startswith("/_control/"):
            return self._control(request)
        if request.method not in {"GET", "HEAD"}:
            return _refuse(405, "method_not_allowed", "Only GET here.", Allow="GET, HEAD")
        if request.path in self._files:
            return self._files[request.path]
        if request.path == "/street.json":
            return _json(self._view(request.query.get("since", "")))
        if (found := _METER.fullmatch(request.path)) and found[1] in self._street.devices:
            return _json(self._details(self._street.devices[found[1]]))
        return _refuse(404, "not_found", "Nothing is here.")

    async def _plan(self, serial: str, request: Request) -> Response:
        street, faults, now = self._street, self._street.faults, self._street.clock()
        device = street.devices.get(serial)
        if device is None:
            return _refuse(404, "unknown_meter", "No such meter on this street.")
        if device.is_cut(now):
            return Response(ending=Ending.NONE)
        if fault := faults.strikes("latency", serial, now):
            dice = faults.dice(serial, "latency ms")
            slow = dice.lognormvariate(0, fault.parameters["sigma"])
            await sleep(street.clock, slow * fault.parameters["median_ms"] / 1000)
        if fault := faults.strikes("drop", serial, now):
            await sleep(street.clock, fault.parameters["hold_s"])
            return Response(ending=Ending.NONE)
        if fault := faults.strikes("error", serial, now):
            return _refuse(fault.parameters["status"], "unavailable", "Out of order for a moment.")
        if fault := faults.strikes("busy", serial, now):
            wait = str(fault.parameters["retry_after_s"])
            return _refuse(429, "busy", "Too much to do.", **{"Retry-After": wait})
        reply = device.put_plan(
            path=request.raw_path, header=request.header, body=request.body, now=street.clock()
        )
        ending = Ending.WHOLE
        if reply.status < 300 and faults.strikes("ack_lost", serial, now):
            device.acks.clear()
            ending = Ending.NONE
        elif faults.strikes("reset", serial, now):
            ending = Ending.HALF
        street.took(device, reply)
        return _json(reply.body, reply.status, reply.content_type, ending)

    def _control(self, request: Request) -> Response:
        street = self._street
        # A page of another site can send no JSON here without asking first, and is not let.
        if request.method != "GET" and not request.headers.get("content-type", "").startswith(
            "application/json"
        ):
            return _refuse(415, "not_json", "Send application/json.")
        if request.path == "/_control/state" and request.method == "GET":
            return _json({"meters": len(street.devices), "reports": dict(street.reporter.counts)})
        if request.path == "/_control/faults":
            if request.method in {"PUT", "POST"}:
                try:
                    faults = parse_faults(json.loads(request.body))
                except (FaultsRefused, ValueError, RecursionError) as error:
                    return _refuse(422, "malformed", str(error))
                street.set_faults(faults, keep=request.method == "POST")
            elif request.method == "DELETE":
                street.set_faults([], keep=False)
            elif request.method != "GET":
                return _refuse(405, "method_not_allowed", "GET, PUT, POST or DELETE.")
            listed = [fault.as_json() for _at, fault in street.faults.faults]
            return _json({"fault": listed, "kinds": KINDS, "careless": CARELESS})
        if request.path == "/_control/clock":
            return self._clock(request)
        if (found := _REBOOT.fullmatch(request.path)) and request.method == "POST":
            if device := street.devices.get(found[1]):
                street.reboot(device)
                return _json({"boot_id": device.boot_id})
            return _refuse(404, "unknown_meter", "No such meter on this street.")
        if found := _CARS.fullmatch(request.path):
            return self._cars(found[1], request)
        return _refuse(404, "not_found", "Nothing is here.")

    def _clock(self, request: Request) -> Response:
        """Show the clock, put it on, or let it run at another speed."""
        clock = self._street.clock
        if not isinstance(clock, VirtualClock):
            return _refuse(409, "world_time", "This street lives by the time of the world.")
        if request.method == "PUT":
            try:
                speed, seconds = _parse_clock(json.loads(request.body))
            except (ValueError, RecursionError) as error:
                return _refuse(422, "malformed", str(error))
            if speed is not None:
                clock.run_at(speed)
            clock.put_on(seconds)
        elif request.method != "GET":
            return _refuse(405, "method_not_allowed", "GET or PUT.")
        return _json({"unix_s": clock(), "speed": clock.speed})

    def _cars(self, serial: str, request: Request) -> Response:
        device = self._street.devices.get(serial)
        if device is None:
            return _refuse(404, "unknown_meter", "No such meter on this street.")
        if request.method == "PUT":
            try:
                cars = _parse_cars(
                    json.loads(request.body), [spot.lamp for spot in device.spec.spots]
                )
            except (ValueError, RecursionError) as error:
                return _refuse(422, "malformed", str(error))
            self._street.park(device, cars)
        elif request.method == "DELETE":
            self._street.park(device, {})
        elif request.method != "GET":
            return _refuse(405, "method_not_allowed", "GET, PUT or DELETE.")
        return _json({"cars": device.cars})

    def _view(self, since: str) -> dict[str, Any]:
        """Return what changed after the version `since`; everything where it is no number."""
        street, now = self._street, self._street.clock()
        seen = int(since) if since.isascii() and since.isdigit() else -1
        news = [serial for serial, version in street.changed.items() if version > seen]
        return {
            "version": street.version,
            "meters": [
                _drawn(street.devices[serial], street, now)
                for serial in news
                if serial in street.devices
            ],
            "gone": [serial for serial in news if serial not in street.devices],
        }

    def _details(self, device: Device) -> dict[str, Any]:
        now = self._street.clock()
        return {
            **_drawn(device, self._street, now),
            "boot_id": device.boot_id,
            "clock_off_s": round(device.own_time(now) - now, 1),
            "battery_pct": device.battery_pct(now),
            "plan": plan_as_json(device.plan),
            "cars": device.cars_there(now),
            "log": [
                {"at": stamp(datetime.fromtimestamp(at, UTC)), kind: text}
                for at, kind, text in device.log
            ],
        }


def _drawn(device: Device, street: Street, now: float) -> dict[str, Any]:
    spec, shown, occupied = device.spec, device.shown(now), device.occupied(now)
    return {
        "serial": spec.serial,
        "zone": spec.zone,
        "street": spec.street,
        "lon": spec.longitude,
        "lat": spec.latitude,
        "online": not device.is_cut(now),
        "revision": device.revision,
        "lamps": [
            {
                "lamp": spot.lamp,
                "number": spot.number,
                **shown[spot.lamp]._asdict(),
                "occupied": occupied[spot.lamp],
            }
            for spot in spec.spots
        ],
    }


def _parse_cars(document: object, lamps: Sequence[int]) -> dict[int, bool]:
    """Read `{"cars": {"1": true}}`: whether a car stands at a lamp.

    Raises:
        ValueError: naming what is wrong.
    """
    if not isinstance(document, dict) or set(document) != {"cars"}:
        raise ValueError('must be {"cars": { … }} and nothing else')
    cars = document["cars"]
    if not isinstance(cars, dict):
        raise ValueError("cars must be an object")
    known = {str(lamp): lamp for lamp in lamps}
    for lamp, there in cars.items():
        if lamp not in known:
            raise ValueError(f"cars.{lamp}: this meter has the lamps {', '.join(known)}")
        if not isinstance(there, bool):
            raise ValueError(f"cars.{lamp} must be true or false")
    return {known[lamp]: there for lamp, there in cars.items()}


def _parse_clock(document: object) -> tuple[float | None, float]:
    """Read `{"speed": 60, "put_on_s": 3600}`, either of them or both.

    Raises:
        ValueError: naming what is wrong.
    """
    if not isinstance(document, dict) or set(document) - {"speed", "put_on_s"}:
        raise ValueError('must be {"speed": …, "put_on_s": …} and nothing else')
    speed, seconds = document.get("speed"), document.get("put_on_s", 0)
    for name, value, most in (("speed", speed, FASTEST), ("put_on_s", seconds, 1e9)):
        if value is None and name == "speed":
            continue
        if (
            isinstance(value, bool)
            or not isinstance(value, int | float)
            or not math.isfinite(value)
            or not 0 <= value <= most
        ):
            raise ValueError(f"{name} must lie between 0 and {most:g}")
    return speed, seconds


def _json(
    body: Mapping[str, Any],
    status: int = 200,
    content_type: str = "application/json",
    ending: Ending = Ending.WHOLE,
    headers: Mapping[str, str] = _SAFE,
) -> Response:
    return Response(
        status=status,
        body=json.dumps(body, separators=(",", ":")).encode(),
        content_type=content_type,
        headers=headers,
        ending=ending,
    )


def _refuse(status: int, code: str, detail: str, **headers: str) -> Response:
    body = problem(status, code, detail)
    return _json(body, status, PROBLEM, headers={**_SAFE, **headers})
