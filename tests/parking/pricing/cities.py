"""What cities publish as the price of parking at the kerb, and what a stay there then costs."""

from typing import Any

from tests.parking.pricing.helpers import EVERY_DAY, WORKDAYS, band

ALL_BUT_SUNDAY = EVERY_DAY[:6]

TARIFFS: dict[str, dict[str, Any]] = {
    # Parking meters of the centre, four hours at most, price by step.
    "zurich": {
        "currency": "CHF",
        "time_zone": "Europe/Zurich",
        "bands": [band("09:00", "20:00", 0, ALL_BUT_SUNDAY)],
        "ladder": [
            {"upto_min": 30, "total": 100},
            {"upto_min": 60, "total": 300},
            {"upto_min": 120, "total": 750},
            {"upto_min": 180, "total": 950},
            {"upto_min": 240, "total": 1150},
        ],
    },
    # Two hours at the base rate, then dearer; sold in quarters of an hour.
    "sacramento": {
        "currency": "USD",
        "time_zone": "America/Los_Angeles",
        "bands": [
            {
                "days": EVERY_DAY,
                "from": "00:00",
                "to": "24:00",
                "tiers": [
                    {"upto_min": 120, "per_hour": 175},
                    {"upto_min": 180, "per_hour": 300},
                    {"per_hour": 375},
                ],
            }
        ],
        "increment": {"minutes": 15, "mode": "started"},
    },
    # Zone 1: workdays until nine, Saturdays until six, Sundays and holidays free.
    "helsinki": {
        "currency": "EUR",
        "time_zone": "Europe/Helsinki",
        "holidays": {"2026-12-25": "Christmas Day", "2027-01-06": "Epiphany"},
        "holiday_behaves_like": "sun",
        "bands": [
            band("09:00", "21:00", 400, WORKDAYS),
            band("09:00", "18:00", 400, ["sat"]),
        ],
    },
    # Inner city, day and night.
    "amsterdam": {
        "currency": "EUR",
        "time_zone": "Europe/Amsterdam",
        "bands": [band("00:00", "24:00", 750)],
    },
}

# City, local start, minutes, chargeable minutes, total.
STAYS = [
    ("zurich", "2026-05-12T09:00", 1, 1, 100),
    ("zurich", "2026-05-12T09:00", 31, 31, 300),
    ("zurich", "2026-05-12T09:00", 61, 61, 750),
    ("zurich", "2026-05-12T09:00", 121, 121, 950),
    ("zurich", "2026-05-12T09:00", 240, 240, 1150),
    ("zurich", "2026-05-12T08:30", 60, 30, 100),
    ("zurich", "2026-05-16T19:00", 600, 60, 300),
    ("zurich", "2026-05-17T12:00", 120, 0, 0),
    ("sacramento", "2026-05-12T10:00", 60, 60, 175),
    ("sacramento", "2026-05-12T10:00", 121, 121, 425),
    ("sacramento", "2026-05-12T10:00", 180, 180, 650),
    ("sacramento", "2026-05-12T10:00", 300, 300, 1400),
    ("helsinki", "2026-05-12T08:00", 120, 60, 400),
    ("helsinki", "2026-05-16T17:00", 120, 60, 400),
    ("helsinki", "2026-05-17T10:00", 240, 0, 0),
    ("helsinki", "2026-12-25T10:00", 240, 0, 0),
    ("helsinki", "2026-05-15T20:00", 840, 120, 800),
    ("amsterdam", "2026-05-12T10:00", 20, 20, 250),
    ("amsterdam", "2026-05-12T00:00", 1440, 1440, 18000),
]
