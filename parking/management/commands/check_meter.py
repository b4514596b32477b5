"""Check whether a vendor's meter keeps the protocol."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.core.management.base import BaseCommand, CommandError, CommandParser

from parking.conformance.bench import Bench
from parking.conformance.calling import CallingBench
from parking.conformance.listener import Listener
from parking.conformance.report import Verdict, check, junit, line, summary
from parking.conformance.rules import RULES
from parking.signatures import Key

KEYS = "METER_CHECK_KEYS"


class Command(BaseCommand):
    """Call a meter as the city would, listen where it calls, and report rule by rule.

    Ends with 0 when no rule is broken and with 1 otherwise.
    """

    help = "Try the rules of the meter protocol on a meter, and print a report."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the meter's address, what is known of it, and where to listen and to report."""
        parser.add_argument(
            "url",
            nargs="?",
            default="",
            help="of the meter or its gateway, such as http://10.1.2.3; none: it only calls us",
        )
        parser.add_argument("--serial", required=True)
        parser.add_argument("--lamps", type=int, nargs="+", default=[1], help="their numbers")
        parser.add_argument(
            "--keys-file",
            type=Path,
            help=f"lines of KEY_ID:SECRET_IN_HEX, the newest first; else {KEYS} has them",
        )
        parser.add_argument("--listen", default="127.0.0.1:8021", help="where the meter calls")
        parser.add_argument("--eye", default="", help="says what lamps and bays really look like")
        parser.add_argument("--heartbeat", type=float, default=60.0, help="seconds")
        parser.add_argument("--patience", type=float, default=10.0, help="seconds, for a report")
        parser.add_argument(
            "--poll", type=float, default=30.0, help="seconds after which it asks for its plan"
        )
        parser.add_argument("--step", type=float, default=4.0, help="seconds between two changes")
        parser.add_argument("--only", nargs="*", default=[], help="names of rules")
        parser.add_argument("--junit", type=Path, help="write the report as JUnit XML, too")

    def handle(self, *args: Any, **options: Any) -> None:
        """Try the rules.

        Raises:
            CommandError: something that was given is wrong, or a rule is broken.
        """
        if options["url"] and urlsplit(options["url"]).scheme not in {"http", "https"}:
            raise CommandError("the address must begin with http:// or https://")
        if unknown := set(options["only"]) - {rule.name for rule in RULES}:
            raise CommandError(f"no such rule: {', '.join(sorted(unknown))}")
        if not set(options["lamps"]) <= set(range(1, 9)):
            raise CommandError("lamps are numbered 1 to 8")
        keys = _keys(options["keys_file"])
        listener = _listen(options["listen"], options["serial"], keys)
        try:
            known: dict[str, Any] = {
                "serial": options["serial"],
                "keys": keys,
                "lamps": sorted(set(options["lamps"])),
                "listener": listener,
                "eye": options["eye"],
                "heartbeat_s": options["heartbeat"],
                "patience_s": options["patience"],
                "step_s": options["step"],
            }
            if options["url"]:
                bench = Bench(url=options["url"], **known)
            else:
                bench = CallingBench(poll_s=options["poll"], **known)
            findings = check(
                bench,
                only=options["only"],
                tell=lambda finding: self.stdout.write(line(finding)),
            )
        finally:
            listener.close()
        self.stdout.write(f"\n{summary(findings)}")
        if options["junit"]:
            options["junit"].write_bytes(junit(findings, serial=options["serial"]))
        if any(finding.verdict is Verdict.BROKEN for finding in findings):
            raise CommandError("the meter breaks the protocol")


def _keys(file: Path | None) -> list[Key]:
    """Read the keys where no list of processes shows them.

    Raises:
        CommandError: there are none, or a line is wrong; the secret is never repeated.
    """
    try:
        text = file.read_text(encoding="utf-8") if file else os.environ.get(KEYS, "")
    except (OSError, ValueError) as error:
        raise CommandError(f"{file}: cannot be read") from error
    keys = []
    for number, said in enumerate(text.split(), 1):
        key_id, colon, secret = said.partition(":")
        try:
            keys.append(Key(key_id, bytes.fromhex(secret)))
        except ValueError:
            colon = ""
        if not colon or not key_id or not secret:
            raise CommandError(f"key {number} is not like KEY_ID:SECRET_IN_HEX")
    if not keys:
        raise CommandError(f"give the keys with --keys-file or in {KEYS}")
    return keys


def _listen(address: str, serial: str, keys: list[Key]) -> Listener:
    host, _, port = address.rpartition(":")
    if not host or not port.isdigit() or int(port) > 65535:
        raise CommandError("--listen must be like 127.0.0.1:8021")
    try:
        return Listener(serial=serial, keys=keys, clock=time.time, host=host, port=int(port))
    except OSError as error:
        raise CommandError(f"{address}: {error.strerror or error}") from error
