"""The design system holds: one place for colours, one sprite, both directions, enough contrast."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from scripts.places import CHECKOUT

CSS = CHECKOUT / "static" / "css"
# The citizen's sheets; the desk has the admin's own variables.
SHEETS = [
    CSS / f"{name}.css"
    for name in (
        *("curblight", "components", "find", "map", "spot", "tariff"),
        *("style-guide", "report"),
    )
]
PHYSICAL = re.compile(
    r"^\s*(?:(?:margin|padding|border)-(?:left|right|top|bottom)[\w-]*"
    r"|left|right|top|bottom|(?:min-|max-)?(?:width|height)|text-align: (?:left|right))\s*[:;]",
    re.MULTILINE,
)
COLOUR = re.compile(r"#[0-9a-f]{3,8}\b|\b(?:rgb|hsl)a?\(", re.IGNORECASE)
PAIRS = [
    *(("ink", ground) for ground in ("paper", "surface", "surface-sunk", "accent-soft")),
    *(("ink-soft", ground) for ground in ("paper", "surface", "surface-sunk")),
    *(("accent", ground) for ground in ("paper", "surface", "accent-soft")),
    *(("accent-strong", ground) for ground in ("paper", "surface")),
    *(("on-accent", "accent"), ("on-accent", "accent-strong")),
    *((name, f"{name}-soft") for name in ("ok", "wait", "bad")),
    *((name, "surface") for name in ("ok", "wait", "bad", "map-busy", "map-closed", "map-sign")),
]


def text(path: Path) -> str:
    return re.sub(r"/\*.*?\*/", "", path.read_text(), flags=re.DOTALL)


def tokens(theme: str) -> dict[str, str]:
    light, dark = text(CSS / "tokens.css").split("@media (prefers-color-scheme: dark)")
    named = r"--([\w-]+): ([^;]+);"
    found = dict(re.findall(named, light))
    if theme == "dark":
        found |= dict(re.findall(named, dark.partition("@media")[0]))
    return found


def contrast(one: str, other: str) -> float:
    """Return the ratio of WCAG 2 between two colours such as #12211d."""

    def luminance(colour: str) -> float:
        shares = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
        linear = [s / 12.92 if s <= 0.04045 else ((s + 0.055) / 1.055) ** 2.4 for s in shares]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("sheet", SHEETS, ids=lambda path: path.stem)
def test_a_sheet_knows_no_left_and_right_and_no_colour_of_its_own(sheet: Path) -> None:
    assert PHYSICAL.findall(text(sheet)) == []
    assert COLOUR.findall(text(sheet)) == []
    own = set(re.findall(r"(--[\w-]+):", text(sheet)))
    used = set(re.findall(r"var\((--[\w-]+)", text(sheet)))
    assert used - own - {f"--{name}" for name in tokens("light")} == set(), "no such token"


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_words_stand_out_from_their_ground(theme: str) -> None:
    colours = tokens(theme)
    weak = {
        pair: round(ratio, 2)
        for pair in PAIRS
        if (ratio := contrast(colours[pair[0]], colours[pair[1]])) < 4.5
    }
    assert weak == {}
    assert contrast(colours["line-strong"], colours["surface"]) >= 3, "edges of fields"


def test_every_sign_that_is_asked_for_is_in_the_sprite() -> None:
    sprite = set(
        re.findall(r'<symbol id="([\w-]+)"', (CHECKOUT / "static/img/icons.svg").read_text())
    )
    asked = {
        name
        for page in (CHECKOUT / "templates").rglob("*.html")
        for name in re.findall(r'{% icon "([\w-]+)"', page.read_text())
    }
    assert asked - sprite == set()
