"""Answer cases of a file, one by one: what `manage.py quote` prints.

A case is `{"id", "start", "end"}` or `{"id", "start", "minutes"}` in local time, with an optional
`vehicle_class`, and `tariff`, the name, where the file of tariffs holds several. Other keys are
not looked at, so that a file of expected answers can be given as it is.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, TextIO

from parking.pricing.charge import LONGEST_STAY_DAYS, quote
from parking.pricing.clock import parse_local
from parking.pricing.errors import QuoteError, TariffError
from parking.pricing.parts import DAY_MIN
from parking.pricing.tariff import Tariff


class UnreadableFile(ValueError):
    """The file as a whole is not what it should be; the message says what and where."""


class Tariffs:
    """The tariff of a file, or the several that it names. A bad one only spoils its own cases."""

    def __init__(self, content: object) -> None:
        """Take a tariff document or `{"tariffs": {name: document}}`.

        Raises:
            TariffError: a file of one document is refused.
            UnreadableFile: `tariffs` holds none.
        """
        self._named: Mapping[str, Any] | None = None
        self._parsed: dict[str, Tariff | TariffError] = {}
        self._only: Tariff | None = None
        if isinstance(content, Mapping) and "tariffs" in content:
            named = content["tariffs"]
            if not isinstance(named, Mapping) or not named:
                raise UnreadableFile("tariffs: must be an object of named tariffs")
            self._named = named
        else:
            self._only = Tariff.parse(content)  # type: ignore[arg-type]  # it refuses the rest

    def get(self, name: object) -> Tariff:
        """Return the tariff of a case; the name may be left out where there is only one.

        Raises:
            QuoteError: `unknown_tariff` or `bad_tariff`.
        """
        if self._only is not None:
            return self._only
        named = self._named or {}
        if name is None and len(named) == 1:
            name = next(iter(named))
        if not isinstance(name, str) or name not in named:
            raise QuoteError("unknown_tariff", f"tariff: the file has no tariff {name!r}.")
        if name not in self._parsed:
            try:
                self._parsed[name] = Tariff.parse(named[name])
            except TariffError as error:
                self._parsed[name] = error
        tariff = self._parsed[name]
        if isinstance(tariff, TariffError):
            raise QuoteError("bad_tariff", "; ".join(str(tariff).splitlines()))
        return tariff


def read_json(text: str, name: str, first_line: int = 1) -> Any:
    """Read JSON; a key that stands twice in one object is refused, for one would be lost.

    `first_line` is where the text stands in its file.

    Raises:
        UnreadableFile: with line and column, or the key.
    """
    try:
        return json.loads(text, object_pairs_hook=_unique)
    except json.JSONDecodeError as error:
        line = first_line + error.lineno - 1
        raise UnreadableFile(f"{name}, line {line} column {error.colno}: {error.msg}") from error
    except (UnreadableFile, RecursionError) as error:
        raise UnreadableFile(f"{name}: {error}") from error


def read_cases(file: TextIO, name: str) -> Iterator[object]:
    """Yield the cases of a JSON list, of `{"cases": […]}`, or of JSON lines, which are streamed.

    A line that is not JSON is yielded as the exception that tells so.

    Raises:
        UnreadableFile: the file is one document, but not of cases.
    """
    number, first = 1, file.readline()
    while first and not first.strip():
        number, first = number + 1, file.readline()
    if not first:
        return
    try:
        value = read_json(first, name, number)
    except UnreadableFile as error:
        # A document over several lines, unless the first line of many is itself broken.
        begin = first.lstrip()[:1]
        if begin == "[" or (begin == "{" and not first.rstrip().endswith("}")):
            yield from _cases_of(read_json(first + file.read(), name, number), name)
            return
        value = error
    if isinstance(value, list) or (isinstance(value, dict) and "cases" in value):
        rest = file.read()
        if rest.strip():
            raise UnreadableFile(f"{name}: text after the end of the cases")
        yield from _cases_of(value, name)
        return
    yield value
    for line_number, line in enumerate(file, number + 1):
        if line.strip():
            try:
                yield read_json(line, name, line_number)
            except UnreadableFile as error:
                yield error


def answers(tariffs: Tariffs, cases: Iterable[object]) -> Iterator[dict[str, Any]]:
    """Answer each case with its price or with its error; no case stops the others."""
    for case in cases:
        number = case.get("id") if isinstance(case, Mapping) else None
        try:
            yield {"id": number, **_answer(tariffs, case)}
        except QuoteError as error:
            yield {"id": number, "error": {"code": error.code, "detail": error.detail}}


def _answer(tariffs: Tariffs, case: object) -> dict[str, Any]:
    if isinstance(case, UnreadableFile):
        raise QuoteError("bad_case", str(case))
    if not isinstance(case, Mapping):
        raise QuoteError("bad_case", "A case must be an object.")
    tariff = tariffs.get(case.get("tariff"))
    vehicle_class = case.get("vehicle_class")
    if vehicle_class is not None and not isinstance(vehicle_class, str):
        raise QuoteError("bad_case", "vehicle_class: must be a text.")
    start, end = _period(case, tariff.time_zone)
    price = quote(tariff=tariff, start=start, end=end, vehicle_class=vehicle_class)
    return {
        "chargeable_min": price.chargeable_min,
        "total": price.total,
        "lines": [{**line.as_json(), "text": line.text()} for line in price.lines],
    }


def _period(case: Mapping[str, Any], time_zone: str) -> tuple[datetime, datetime]:
    if "start" not in case:
        raise QuoteError("bad_case", "start: is missing.")
    start = parse_local(case["start"], time_zone, "start")
    end, minutes = case.get("end"), case.get("minutes")
    if (end is None) == (minutes is None):
        raise QuoteError("bad_case", "Either end or minutes must be given.")
    if minutes is None:
        return start, parse_local(end, time_zone, "end")
    if not isinstance(minutes, int) or isinstance(minutes, bool):
        raise QuoteError("bad_case", "minutes: must be a whole number.")
    # Longer ones are refused by the engine; this keeps the sum inside what datetime can hold.
    longest = (LONGEST_STAY_DAYS + 1) * DAY_MIN
    minutes = max(-1, min(minutes, longest))
    return start, start.astimezone(UTC) + timedelta(minutes=minutes)


def _cases_of(value: object, name: str) -> Iterator[object]:
    cases = value["cases"] if isinstance(value, dict) and "cases" in value else value
    if isinstance(cases, dict):
        yield cases
    elif isinstance(cases, list):
        yield from cases
    else:
        raise UnreadableFile(f"{name}: must hold a list of cases")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise UnreadableFile(f"the key {twice!r} stands twice in one object")
    return found
