"""A meter on the test bench that nobody calls: it fetches each plan, and is offered wrong ones.

It answers nothing, so a refusal is what it does not do: it neither acknowledges the plan, nor
reports it, nor names it when it asks for the next one.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from parking.conformance.bench import Answer, Bench, Broken
from parking.conformance.listener import Offer
from parking.meter_protocol import Entry
from parking.signatures import Key

TAKEN, SAME, NOT_TAKEN = 202, 200, 0


@dataclass(kw_only=True)
class CallingBench(Bench):
    """The bench for a meter that only calls; it asks for its plan every `poll_s` at least."""

    url: str = ""
    poll_s: float = 30.0

    @property
    def is_called(self) -> bool:
        """Whether it answers calls."""
        return False

    @property
    def lead_s(self) -> float:
        """How long before its first change a plan must be given."""
        return self.poll_s + 1.0

    def put(
        self,
        body: dict[str, Any] | bytes,
        *,
        key: Key | None = None,
        serial: str | None = None,
        ahead_s: float = 0.0,
        nonce: str | None = None,
        headers: Mapping[str, str | None] | None = None,
        sign_as: bytes | None = None,
    ) -> Answer:
        """Offer a plan once, signed as asked; say whether it was taken.

        Raises:
            Broken: it does not ask for its plan.
        """
        if serial is not None:  # nobody asks for another meter's plan
            return _said(404)
        said = {} if isinstance(body, bytes) else body
        revision = said.get("revision")
        is_same = revision == self.revision
        etag = f'"{self.revision + 1 if not isinstance(revision, int) else revision}"'
        listener, offered_at = self.listener, self.clock()
        with listener.changed:
            listener.offer = Offer(
                data=body if isinstance(body, bytes) else json.dumps(body).encode(),
                etag=etag,
                key=key or self.keys[0],
                ahead_s=ahead_s + self.offset_s,
                nonce=nonce,
                headers=headers or {},
                sign_as=sign_as,
            )
            listener.changed.notify_all()
        within = self.poll_s + self.patience_s
        no_question = f"it did not ask for its plan within {within:g} s"
        self.wait_for(lambda: listener.offer is None, within=within, broken=no_question)

        def asked_again() -> bool:
            return len(listener.asked) > listener.asked_when_offered

        self.wait_for(asked_again, within=within, broken=no_question)
        if is_same:
            return _said(SAME)
        named = etag in listener.asked[listener.asked_when_offered :]
        return _said(TAKEN if named or self._was_taken(said, offered_at) else NOT_TAKEN)

    def give(self, plan: Mapping[int, Sequence[Entry]] | None = None, **changes: Any) -> str:
        """Have the meter fetch a plan as from the city; return the command's id.

        Raises:
            Broken: it does not take it.
        """
        reported = [state.revision for _at, state in self.listener.states()]
        changes.setdefault("revision", max([self.revision, *reported]) + 1)
        body = self.message(plan, **changes)
        etag, listener, given_at = f'"{body["revision"]}"', self.listener, self.clock()
        with listener.changed:
            before = len(listener.asked)
            listener.plan, listener.is_giving = body, True
            listener.changed.notify_all()
        within = self.poll_s + self.patience_s
        try:
            self.wait_for(
                lambda: etag in listener.asked[before:] or self._was_taken(body, given_at),
                within=within,
                broken=f"a plan that keeps all rules was not taken within {within:g} s",
            )
        finally:
            listener.is_giving = False
        self.revision = body["revision"]
        self.taken.append(body["command_id"])
        return str(body["command_id"])

    def refused(self, answer: Answer, status: int | Sequence[int], code: str) -> None:
        """Check that it did not take what it was offered.

        Raises:
            Broken: it did.
        """
        if answer.status in {TAKEN, SAME}:
            raise Broken(f"took what it must refuse as {code}")

    def _was_taken(self, body: dict[str, Any], since: float) -> bool:
        command, revision = body.get("command_id"), body.get("revision")
        return any(
            str(ack.command_id) == command and ack.stage == "applied"
            for ack in self.listener.acks()
        ) or any(state.revision == revision for _at, state in self.listener.states(since=since))


def _said(status: int) -> Answer:
    return Answer(status=status, content_type="", body={})
