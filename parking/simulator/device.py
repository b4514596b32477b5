"""One meter: its plan, its clock, its lamps, what it answers. No network; the time is given."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, NamedTuple

from parking.meter_protocol import (
    OFF,
    PROBLEM,
    SCHEMA,
    UNKNOWN,
    Entry,
    Malformed,
    Show,
    next_change,
    parse_plan,
    parse_stamp,
    problem,
    shown_at,
    stamp,
)
from parking.signatures import SKEW_S, Key, NonceMemory, SignatureRefused, verify
from parking.simulator.faults import FaultBook
from parking.simulator.specs import MeterSpec

FIRMWARE = "sim-1"


class Reply(NamedTuple):
    """What the meter answers to a request."""

    status: int
    body: dict[str, Any]
    content_type: str = "application/json"


class Device:
    """A meter as the site sees it. All times are seconds since 1970."""

    def __init__(self, spec: MeterSpec, faults: FaultBook, *, now: float) -> None:
        self.spec = spec
        self.faults = faults
        self.plan: dict[int, list[Entry]] = {}
        self.revision = 0
        self.boots = 0
        self.seq = 0
        self.boot_id = ""
        self.cars: dict[int, bool] = {}  # put there or taken away by hand, by lamp
        self.correction_s = 0.0  # what it has learnt about its clock
        self.acks: deque[dict[str, Any]] = deque(maxlen=64)
        self.log: deque[tuple[int, str, str]] = deque(maxlen=20)  # when, what, in words
        self._nonces = NonceMemory(size=1000)
        self._before: tuple[dict[int, list[Entry]], int] = ({}, 0)
        self._frozen: dict[int, Show] = {}  # what it was shown when it took its plan
        self.reboot(now=now)

    def reboot(self, *, now: float) -> None:
        """Start anew, as after a power cut of a meter that keeps nothing."""
        self.boots += 1
        dice = self.faults.dice(self.spec.serial, "boot")
        self.boot_id = f"{self.boots}-{dice.getrandbits(48):012x}-{int(now * 1000):x}"
        self.seq = 0
        self.forget_plan()
        self.note(now, "boot", f"boot {self.boot_id}")

    def forget_plan(self) -> None:
        """Know no plan any more."""
        self.plan, self.revision = {}, 0
        self.acks.clear()

    def is_careless(self, about: str, now: float) -> bool:
        """Say whether its firmware breaks that rule."""
        return self.faults.has("careless", self.spec.serial, now, about=about) is not None

    def is_cut(self, now: float) -> bool:
        """Say whether nothing reaches it, and nothing leaves it."""
        return self.faults.is_cut(self.spec.serial, self.spec.gateway, now)

    def own_time(self, now: float) -> float:
        """Return what the meter's clock says."""
        wrong = 0.0
        if fault := self.faults.has("clock_off", self.spec.serial, now):
            hours = (now - self.faults.since(fault)) / 3600
            wrong = fault.parameters["offset_s"] + hours * fault.parameters["drift_s_per_hour"]
        return now + wrong + self.correction_s

    def set_clock(self, true_time: float, *, now: float) -> None:
        """Put the clock right."""
        self.correction_s += true_time - self.own_time(now)
        self.note(now, "clock", "set by the site's time")

    def put_plan(
        self,
        *,
        method: str = "PUT",
        path: str,
        header: Callable[[str], str | None],
        body: bytes,
        now: float,
        nonce: str | None = None,
        lasting: bool = False,
    ) -> Reply:
        """Take a signed plan by the rules of the protocol; an accepted one queues its ack.

        Of a plan that it asked for, `nonce` is its own. A `lasting` one lay at a broker, and may be
        older than a signature is good for: its revision and `not_after` say what it is worth.
        """
        reply = self._put_plan(method, path, header, body, now, nonce, lasting)
        if reply.status >= 400 and self.is_careless("problem", now):
            reply = Reply(reply.status, {})
        what = f"plan r{reply.body.get('revision', '?')} → {reply.status}"
        self.note(now, "in", f"{what} {reply.body.get('code', '')}".strip())
        return reply

    def take(self, message: dict[str, Any], *, now: float) -> Reply:
        """Answer a plan message whose sender is known."""
        serial, own = self.spec.serial, self._moment(now)
        if message.get("meter") != serial and not self.is_careless("owner", now):
            return self._refuse(403, "not_yours", "This plan is for another meter.")
        try:
            if message.get("schema") != SCHEMA:
                raise Malformed([("/schema", f"must be {SCHEMA}")])
            revision = message.get("revision")
            if type(revision) is not int or revision < 0:
                raise Malformed([("/revision", "must be a whole number")])
            try:
                not_after = parse_stamp(message.get("not_after"))
            except ValueError as error:
                raise Malformed([("/not_after", str(error))]) from error
            plan = parse_plan(message.get("spots"), lamps=[spot.lamp for spot in self.spec.spots])
        except Malformed as error:
            if self.is_careless("malformed", now):
                return Reply(202, {"revision": self.revision, "status": "accepted"})
            errors = [{"pointer": path, "detail": text} for path, text in error.errors]
            return self._refuse(422, "malformed", str(error), errors=errors)
        if not_after <= own and not self.faults.has("ignores_not_after", serial, now):
            return self._refuse(410, "expired", "Too late for this command.")
        if revision < self.revision and not self.is_careless("revision", now):
            return self._refuse(
                409, "stale_revision", "A later plan is here.", revision=self.revision
            )
        for code, status in (("maintenance", 423), ("light_fault", 424)):
            if self.faults.has(code, serial, now):
                return self._refuse(status, code, "Out of order.")
        if revision == self.revision and not self.is_careless("repeat", now):
            return Reply(200, {"revision": revision, "status": "applied"})
        self._before = (self.plan, self.revision)
        self.plan, self.revision = plan, revision
        self._frozen = {lamp: shown_at(entries, own) for lamp, entries in plan.items()}
        command_id = message.get("command_id")
        if command_id and not self.is_careless("silence", now):
            said = {"command_id": command_id, "revision": revision, "at": stamp(own)}
            self.acks.append({**said, "stage": "applied"})
            if self.is_careless("ack", now):
                self.acks.append({**said, "stage": "rejected", "reason": "never mind"})
        return Reply(202, {"revision": revision, "status": "accepted"})

    def shown(self, now: float) -> dict[int, Show]:
        """Return what each lamp really shows."""
        stuck = self.faults.has("stuck_light", self.spec.serial, now)
        shown = self._meant(now)
        if stuck:
            show = Show(stuck.parameters["light"], stuck.parameters["pattern"])
            lamp = stuck.parameters["lamp"]
            shown.update({one: show for one in shown if lamp in {0, one}})
        return shown

    def cars_there(self, now: float) -> dict[int, bool]:
        """Return where cars stand; who has a running stay has parked, unless `cars` says else."""
        nobody = self.faults.has("nobody_comes", self.spec.serial, now) is not None
        booked = {
            lamp: show.light == "green" and show.pattern != "slow_blink" and not nobody
            for lamp, show in self._meant(now).items()
        }
        return booked | {lamp: there for lamp, there in self.cars.items() if lamp in booked}

    def occupied(self, now: float) -> dict[int, bool | None]:
        """Return what the sensors say; None where there is none."""
        serial, cars = self.spec.serial, self.cars_there(now)
        if self.faults.has("no_sensor", serial, now):
            return dict.fromkeys(cars)
        lying = self.faults.has("false_sensor", serial, now) is not None
        said: dict[int, bool | None] = {lamp: there != lying for lamp, there in cars.items()}
        if stuck := self.faults.has("stuck_sensor", serial, now):
            lamp = stuck.parameters["lamp"]
            said.update({one: stuck.parameters["occupied"] for one in said if lamp in {0, one}})
        return said

    def next_change(self, now: float) -> float | None:
        """Return when a lamp changes next by the meter's clock."""
        own = self.own_time(now)
        change = next_change(self.plan, datetime.fromtimestamp(own, UTC))
        return None if change is None else now + (change.timestamp() - own)

    def state(self, now: float) -> dict[str, Any]:
        """Return the next state message; each has a number of its own."""
        self.seq = 1 if self.is_careless("seq", now) else self.seq + 1
        stuck = self.faults.has("stuck_light", self.spec.serial, now)
        shown = self.shown(now) if stuck is None or stuck.parameters["honest"] else self._meant(now)
        occupied = self.occupied(now)
        if self.is_careless("report", now):
            shown = dict.fromkeys(shown, Show("blue", "steady"))
        said = {
            "seq": self.seq,
            "at": stamp(self._moment(now)),
            "boot_id": self.boot_id,
            "revision": self.revision,
            "firmware": FIRMWARE,
            "battery_pct": self.battery_pct(now),
            "clock_offset_ms": 0,
            "faults": ["light_stuck"] if stuck and stuck.parameters["honest"] else [],
            "spots": [
                {"spot": lamp, **show._asdict(), "occupied": occupied[lamp]}
                for lamp, show in sorted(shown.items())
            ],
        }
        if self._before[1] and self.is_careless("undo", now):
            self.plan, self.revision = self._before
        return said

    def battery_pct(self, now: float) -> int:
        """Return the charge in percent."""
        if fault := self.faults.has("dying_battery", self.spec.serial, now):
            hours = (now - self.faults.since(fault)) / 3600
            return max(0, 100 - int(hours * fault.parameters["percent_per_hour"]))
        return 100

    def note(self, now: float, kind: str, text: str) -> None:
        """Keep a line of what happened for whoever looks at the meter."""
        self.log.appendleft((int(now), kind, text))

    def _put_plan(
        self,
        method: str,
        path: str,
        header: Callable[[str], str | None],
        body: bytes,
        now: float,
        nonce: str | None,
        lasting: bool,
    ) -> Reply:
        own = self.own_time(now)
        try:
            signed = verify(
                header=header,
                method=method,
                path=path,
                body=body,
                key_of=lambda key_id: self._key_of(key_id, now),
                now=own,
                skew_s=float("inf") if lasting else SKEW_S,
            )
            if nonce is not None and signed.nonce != nonce:
                raise SignatureRefused("replay", "this answers another question")
            if nonce is None and not lasting and not self._nonces.first_use(signed, own):
                raise SignatureRefused("replay", "this nonce was used before")
        except SignatureRefused as error:
            about = {"bad_signature": "signature", "clock_skew": "skew", "replay": "nonce"}
            if not self.is_careless(about[error.code], now):
                said = {} if self.is_careless("time", now) else {"time": stamp(self._moment(now))}
                return self._refuse(401, error.code, str(error), **said)
        try:
            message = json.loads(body)
        except (ValueError, RecursionError):
            message = None
        if not isinstance(message, dict):
            return self._refuse(400, "malformed", "The body is no JSON object.")
        return self.take(message, now=now)

    def _meant(self, now: float) -> dict[int, Show]:
        if not self.revision:
            return {spot.lamp: UNKNOWN for spot in self.spec.spots}
        own = self._moment(now)
        meant = {
            spot.lamp: shown_at(self.plan[spot.lamp], own) if spot.lamp in self.plan else OFF
            for spot in self.spec.spots
        }
        if self.is_careless("switching", now):
            return meant | self._frozen
        if self.is_careless("exhausted", now) and next_change(self.plan, own) is None:
            return dict.fromkeys(meant, Show("red", "steady"))
        return meant

    def _key_of(self, key_id: str, now: float) -> Key | None:
        known = self.spec.keys[:1] if self.is_careless("second_key", now) else self.spec.keys
        return next((key for key in known if key.key_id == key_id), None)

    def _moment(self, now: float) -> datetime:
        return datetime.fromtimestamp(self.own_time(now), UTC)

    def _refuse(self, status: int, code: str, detail: str, **members: Any) -> Reply:
        return Reply(status, problem(status, code, detail, **members), PROBLEM)
