"""Read single values of a document; what is wrong is noted with its path, never raised."""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Final, TypeVar

# A sum of such amounts over the longest stay still fits a BIGINT.
LARGEST: Final = 10**12
LONGEST_TEXT: Final = 64
_TIME: Final = re.compile(r"(?:([01]\d|2[0-3]):([0-5]\d)|24:00)", re.ASCII)

Item = TypeVar("Item")
Choice = TypeVar("Choice", bound=str)


class Notes:
    """Collect what is wrong, key by key."""

    def __init__(self) -> None:
        self.errors: list[tuple[str, str]] = []

    def add(self, path: str, message: str) -> None:
        """Note that the key at `path` is wrong."""
        self.errors.append((path, message))

    def whole(self, value: object, path: str, *, low: int = 0, high: int = LARGEST) -> int:
        """Read a whole number from `low` to `high`; `low` stands in for a wrong one."""
        if not isinstance(value, int) or isinstance(value, bool):
            self.add(path, "must be a whole number")
        elif value < low:
            self.add(path, "must not be negative" if low == 0 else f"must be at least {low}")
        elif value > high:
            self.add(path, f"must be at most {high}")
        else:
            return value
        return low

    def text(self, value: object, path: str) -> str:
        """Read a short printable text that is not empty."""
        if not isinstance(value, str) or not value.strip():
            self.add(path, "must be a text that is not empty")
        elif not value.isprintable() or len(value) > LONGEST_TEXT:
            self.add(path, f"must be at most {LONGEST_TEXT} printable characters")
        else:
            return value
        return ""

    def choice(self, value: object, path: str, choices: tuple[Choice, ...]) -> Choice:
        """Read one of `choices`; the first stands in for a wrong one."""
        if isinstance(value, str) and value in choices:
            return value
        self.add(path, f"must be one of {', '.join(choices)}")
        return choices[0]

    def time(self, value: object, path: str) -> int:
        """Read `HH:MM`, from 00:00 to 24:00, as minutes."""
        if isinstance(value, str) and (match := _TIME.fullmatch(value)):
            hours, minutes = match.groups()
            return int(hours) * 60 + int(minutes) if hours else 24 * 60
        self.add(path, "must be a time such as 09:00")
        return 0

    def hours(self, value: Mapping[str, object], path: str) -> tuple[int, int]:
        """Read `from` and `to`; `to` before `from` means the day after."""
        known = len(self.errors)
        begin = self.time(value.get("from", "00:00"), f"{path}.from")
        end = self.time(value.get("to", "24:00"), f"{path}.to")
        if begin == 24 * 60:
            self.add(f"{path}.from", "must be before 24:00; the next day begins at 00:00")
        elif begin == end and len(self.errors) == known:
            self.add(f"{path}.to", "must differ from `from`; a whole day is 00:00 to 24:00")
        return begin, end

    def mapping(
        self, value: object, path: str, known: Iterable[str], needed: Iterable[str] = ()
    ) -> Mapping[str, object]:
        """Read an object whose keys are all known; an empty one stands in for a wrong one."""
        if not isinstance(value, Mapping):
            self.add(path or "document", "must be an object")
            return {}
        for key in value:
            if key not in known:
                self.add(f"{path}.{key}" if path else str(key), "is not a known key")
        for key in needed:
            if key not in value:
                self.add(f"{path}.{key}" if path else key, "is missing")
        return value

    def items(
        self, value: object, path: str, read: Callable[[object, str], Item], *, empty: bool = False
    ) -> tuple[Item, ...]:
        """Read each item of a list with its own path."""
        if not isinstance(value, list | tuple):
            self.add(path, "must be a list")
            return ()
        if not value and not empty:
            self.add(path, "must not be empty")
        return tuple(read(item, f"{path}[{index}]") for index, item in enumerate(value))

    def rising(self, limits: Iterable[int], path: str) -> None:
        """Note every `upto_min` that is not above the one before it."""
        before = 0
        for index, limit in enumerate(limits):
            if limit <= before:
                self.add(f"{path}[{index}].upto_min", "must rise")
            before = limit
