"""Which zones and streets do people mean, however they spell or script them?

Each word means the names that have it in them. Where none has, those that say the same in another
script; else those that come close. What a spelling keeps of a name is said in the database
(`parking_plain`, `parking_bones`, migration 0028).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from django.db import connection

_CLOSE = 0.5  # of word_similarity, 0 to 1
_AS_CLOSE = 0.1  # so far behind the closest, a name is still meant
MOST_WORDS = 8

# They say what kind of place it is, and may be in another language than its name.
_KINDS_OF_PLACES = frozenset(
    [
        *("street", "st", "road", "rd", "avenue", "ave", "boulevard", "blvd", "square", "lane"),
        *("улица", "ул", "проспект", "площадь", "бульвар", "переулок", "đường", "phố"),
        *("خیابان", "کوچه", "بلوار", "میدان", "khiaban", "kuche", "kucheh", "bolvar", "meydan"),
    ]
)

_NAMES = """
WITH spelled AS (
  SELECT nth, word, parking_plain(word) AS plain, parking_bones(parking_plain(word)) AS bones
  FROM unnest(%(words)s::text[]) WITH ORDINALITY AS one(word, nth)
), wanted AS MATERIALIZED (  -- two consonants must be a whole word
  SELECT *, word ~ '[؀-ۿ]' AS is_arabic,
         CASE length(bones) WHEN 0 THEN NULL WHEN 1 THEN NULL WHEN 2 THEN ' ' || bones || ' '
         ELSE bones END AS bare
  FROM spelled WHERE plain <> ''
), places AS (
  SELECT id AS zone, name, names FROM parking_zone WHERE is_active
  UNION
  SELECT NULL, street, street_names FROM parking_spot WHERE is_active AND street <> ''
), names AS (  -- in the city's language, and in those in which it has told them
  SELECT zone, name, said
  FROM places, LATERAL (SELECT name UNION SELECT value FROM jsonb_each_text(names)) AS one(said)
), known AS MATERIALIZED (
  SELECT zone, name, parking_plain(said) AS plain,
         ' ' || parking_bones(parking_plain(said)) || ' ' AS bones,
         said ~ '[؀-ۿ]' AS is_arabic
  FROM names
), ranked AS (
  SELECT nth - 1 AS nth, zone, name, CASE
    WHEN strpos(known.plain, wanted.plain) > 0 THEN 3
    WHEN wanted.is_arabic <> known.is_arabic AND strpos(known.bones, bare) > 0
    THEN CASE WHEN strpos(known.bones, ' ' || wanted.bones) > 0 THEN 2 ELSE 1.5 END
    WHEN length(word) > 3 THEN word_similarity(wanted.plain, known.plain)
    END AS rank
  FROM wanted, known
)
SELECT nth, zone, name, max(rank) AS best FROM ranked
WHERE rank >= %(close)s GROUP BY nth, zone, name ORDER BY nth, best DESC, name
"""


@dataclass
class Word:
    """What one word of a search means: zones, streets, or signs of a spot's number."""

    text: str
    number: str = ""  # empty: it is no number
    zones: list[int] = field(default_factory=list)
    streets: list[str] = field(default_factory=list)
    guesses: list[str] = field(default_factory=list)  # names that are spelled differently

    @property
    def is_a_name(self) -> bool:
        """Whether any name is meant."""
        return bool(self.zones or self.streets)


def words_of(place: str) -> list[Word]:
    """Read the words of a search; one query, none for an empty search. All of them must hold.

    A word that only says “street” is left out where no name has it. Words that only together say
    something, such as Vali Asr, are one.
    """
    texts = place.split()[:MOST_WORDS]
    if not texts:
        return []
    if len(texts) > 1:
        texts.append("".join(texts))
    with connection.cursor() as cursor:
        cursor.execute(_NAMES, {"words": texts, "close": _CLOSE})
        rows = cursor.fetchall()
    words = [
        _word(text, [row[1:] for row in rows if row[0] == nth]) for nth, text in enumerate(texts)
    ]
    together = words.pop() if len(words) > 1 else None
    saying = [word for word in words if not _is_a_kind(word)] or words
    if (
        together
        and together.is_a_name
        and not all(one.is_a_name or _has_digit(one) for one in saying)
    ):
        return [together]
    return saying


def _is_a_kind(word: Word) -> bool:
    is_literal = word.is_a_name and not word.guesses
    return word.text.lower() in _KINDS_OF_PLACES and not is_literal


def _has_digit(word: Word) -> bool:
    return any(sign.isdigit() for sign in word.text)


def _word(text: str, rows: Iterable[tuple[int | None, str, float]]) -> Word:
    """Keep the names of the best rank; `rows` have zone or None, name and rank, best first."""
    word = Word(text)
    best: float | None = None
    for zone, name, rank in rows:
        best = rank if best is None else best
        if rank < best - (_AS_CLOSE if best <= 1 else 0):
            break
        if zone is None:
            word.streets.append(name)
        else:
            word.zones.append(zone)
        if best < 3:
            word.guesses.append(name)
    if not word.guesses:
        word.number = digits(text)
    return word


_DIGITS: dict[int, Any] = {
    ord(digit): str(value)
    for zero in ("٠", "۰")
    for value, digit in enumerate(chr(ord(zero) + n) for n in range(10))
}


def digits(text: str) -> str:
    """Write a spot's number, or a part of it, in small letters and with the digits 0 to 9."""
    return text.lower().translate(_DIGITS)
