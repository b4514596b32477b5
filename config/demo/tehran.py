"""Tehran: the streets around Vanak Square, where the first meters of the city stood.

Drawn by hand from public knowledge of the street grid; right to some tens of metres. Prices rise
with the hours, as the city council's tariff for kerbside parking does; Fridays are free.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from config.demo.plan import City, Place, StreetPlan, ZonePlan

HOLIDAYS = {
    "2026-02-11": "۲۲ بهمن",
    "2026-03-21": "نوروز",
    "2026-03-22": "نوروز",
    "2026-03-23": "نوروز",
    "2026-03-24": "نوروز",
    "2026-04-01": "روز جمهوری اسلامی",
    "2026-04-02": "روز طبیعت",
    "2026-06-04": "۱۴ خرداد",
    "2027-02-11": "۲۲ بهمن",
    "2027-03-20": "ملی شدن نفت",
    "2027-03-21": "نوروز",
    "2027-03-22": "نوروز",
    "2027-03-23": "نوروز",
    "2027-03-24": "نوروز",
    "2027-04-01": "روز جمهوری اسلامی",
    "2027-04-02": "روز طبیعت",
    "2027-06-04": "۱۴ خرداد",
    "2028-02-11": "۲۲ بهمن",
    "2028-03-20": "نوروز",
    "2028-03-21": "نوروز",
    "2028-03-22": "نوروز",
    "2028-03-23": "نوروز",
}


def price(first_hour: int, second_hour: int, later: int) -> dict[str, Any]:
    """Return the document of a rate in rial that rises with the hours."""
    tiers = [
        {"upto_min": 60, "per_hour": first_hour},
        {"upto_min": 120, "per_hour": second_hour},
        {"per_hour": later},
    ]
    return {
        "currency": "IRR",
        "time_zone": "Asia/Tehran",
        "holidays": HOLIDAYS,
        "holiday_behaves_like": "fri",
        "bands": [
            {
                "days": ["sat", "sun", "mon", "tue", "wed"],
                "from": "07:00",
                "to": "21:00",
                "tiers": tiers,
            },
            {"days": ["thu"], "from": "07:00", "to": "14:00", "tiers": tiers},
        ],
        "increment": {"minutes": 15, "mode": "started"},
        "rounding": {"unit": 1000, "mode": "up"},
        "vehicle_classes": {"disabled": {"percent": 0}},
    }


def _box(west: float, south: float, east: float, north: float) -> list[Place]:
    return [(west, south), (east, south), (east, north), (west, north)]


_ENGLISH = {
    "خیابان ولیعصر": "Valiasr Street",
    "بزرگراه حقانی": "Haqqani Expressway",
    "بزرگراه کردستان": "Kurdistan Expressway",
    "خیابان ملاصدرا": "Mollasadra Street",
    "خیابان ونک": "Vanak Street",
    "خیابان خدامی": "Khoddami Street",
    "خیابان شیراز شمالی": "North Shiraz Street",
    "خیابان شیراز جنوبی": "South Shiraz Street",
    "خیابان برزیل": "Brazil Street",
    "خیابان توانیر": "Tavanir Street",
    "خیابان نظامی گنجوی": "Nezami Ganjavi Street",
    "خیابان رستگاران": "Rastgaran Street",
    "خیابان گاندی": "Gandhi Street",
    "خیابان آفریقا": "Africa Street",
    "خیابان شهیدی": "Shahidi Street",
    "خیابان صانعی": "Sanei Street",
    "کوچه پالیزوانی": "Palizvani Alley",
    "خیابان سی‌ام گاندی": "Gandhi 30th Street",
    "بلوار میرداماد": "Mirdamad Boulevard",
    "خیابان تابان غربی": "West Taban Street",
    "خیابان ناهید غربی": "West Nahid Street",
    "خیابان کیش": "Kish Street",
    "خیابان آرش غربی": "West Arash Street",
}

_STREETS = [
    StreetPlan(
        "خیابان ولیعصر",
        [
            (51.4113, 35.7420),
            (51.4106, 35.7500),
            (51.4101, 35.7567),
            (51.4100, 35.7579),
            (51.4098, 35.7640),
            (51.4106, 35.7700),
        ],
        width_m=24,
    ),
    StreetPlan(
        "بزرگراه حقانی",
        [(51.4107, 35.7573), (51.4180, 35.7570), (51.4300, 35.7566)],
        width_m=36,
        has_parking=False,
    ),
    StreetPlan(
        "بزرگراه کردستان",
        [(51.4040, 35.7420), (51.4032, 35.7574), (51.4036, 35.7640)],
        width_m=36,
        has_parking=False,
    ),
    # West of the square
    StreetPlan("خیابان ملاصدرا", [(51.4094, 35.7573), (51.4032, 35.7575), (51.3940, 35.7583)], 22),
    StreetPlan("خیابان ونک", [(51.4095, 35.7578), (51.4045, 35.7597), (51.3950, 35.7612)], 16),
    StreetPlan("خیابان خدامی", [(51.4096, 35.7566), (51.4060, 35.7552), (51.3990, 35.7548)], 16),
    StreetPlan("خیابان شیراز شمالی", [(51.3985, 35.7579), (51.3980, 35.7612)]),
    StreetPlan("خیابان شیراز جنوبی", [(51.3986, 35.7578), (51.3990, 35.7500)], 18),
    StreetPlan("خیابان برزیل", [(51.4103, 35.7545), (51.4034, 35.7528)], 16),
    StreetPlan("خیابان توانیر", [(51.4106, 35.7509), (51.4075, 35.7490), (51.4045, 35.7488)], 16),
    StreetPlan("خیابان نظامی گنجوی", [(51.4075, 35.7490), (51.4082, 35.7440)]),
    StreetPlan("خیابان رستگاران", [(51.4090, 35.7541), (51.4080, 35.7493)], 12),
    # East of the square
    StreetPlan("خیابان گاندی", [(51.4139, 35.7562), (51.4150, 35.7420)], 18),
    StreetPlan("خیابان آفریقا", [(51.4172, 35.7430), (51.4177, 35.7566), (51.4190, 35.7700)], 22),
    StreetPlan("خیابان شهیدی", [(51.4104, 35.7548), (51.4176, 35.7545)], 14),
    StreetPlan("خیابان صانعی", [(51.4107, 35.7525), (51.4175, 35.7522)], 12),
    StreetPlan("کوچه پالیزوانی", [(51.4109, 35.7490), (51.4174, 35.7487)], 12),
    StreetPlan("خیابان سی‌ام گاندی", [(51.4111, 35.7462), (51.4173, 35.7459)], 12),
    # North of the square
    StreetPlan("بلوار میرداماد", [(51.4098, 35.7613), (51.4186, 35.7609), (51.4300, 35.7603)], 26),
    StreetPlan("خیابان تابان غربی", [(51.4098, 35.7640), (51.4187, 35.7638)], 12),
    StreetPlan("خیابان ناهید غربی", [(51.4102, 35.7672), (51.4188, 35.7668)], 12),
    StreetPlan("خیابان کیش", [(51.4207, 35.7569), (51.4210, 35.7607)], 12),
    StreetPlan("خیابان آرش غربی", [(51.4099, 35.7594), (51.4182, 35.7591)], 12),
]
STREETS = [replace(street, names={"en": _ENGLISH[street.name]}) for street in _STREETS]

ZONES = [
    ZonePlan(
        code="vanak",
        name="ونک",
        names={"en": "Vanak"},
        prefix="VN",
        boundary=_box(51.4037, 35.7546, 51.4120, 35.7604),
        tariffs=[price(120_000, 180_000, 240_000), price(150_000, 220_000, 300_000)],
        rules={"longest_stay_min": 120},
    ),
    ZonePlan(
        code="mollasadra",
        name="ملاصدرا",
        names={"en": "Mollasadra"},
        prefix="MS",
        boundary=_box(51.3935, 35.7495, 51.4034, 35.7618),
        tariffs=[price(120_000, 180_000, 240_000)],
        rules={"longest_stay_min": 240},
        demand={"step_amount": 20_000, "floor": 80_000, "ceiling": 400_000},
    ),
    ZonePlan(
        code="mirdamad",
        name="میرداماد",
        names={"en": "Mirdamad"},
        prefix="MD",
        boundary=_box(51.4040, 35.7606, 51.4215, 35.7705),
        tariffs=[price(120_000, 180_000, 240_000), price(150_000, 220_000, 300_000)],
        rules={"longest_stay_min": 120},
    ),
    ZonePlan(
        code="gandhi",
        name="گاندی",
        names={"en": "Gandhi"},
        prefix="GN",
        boundary=_box(51.4122, 35.7415, 51.4161, 35.7572),
        tariffs=[price(150_000, 220_000, 300_000)],
        rules={"longest_stay_min": 180},
    ),
    ZonePlan(
        code="africa",
        name="آفریقا",
        names={"en": "Africa"},
        prefix="AF",
        boundary=_box(51.4163, 35.7425, 51.4215, 35.7604),
        tariffs=[price(150_000, 220_000, 300_000)],
        rules={"longest_stay_min": 180},
    ),
    ZonePlan(
        code="tavanir",
        name="توانیر",
        names={"en": "Tavanir"},
        prefix="TV",
        boundary=_box(51.4037, 35.7415, 51.4120, 35.7544),
        tariffs=[price(100_000, 150_000, 200_000)],
        rules={"longest_stay_min": 240},
    ),
]

CITY = City(
    name="تهران",
    currency="IRR",
    time_zone="Asia/Tehran",
    centre=(51.4104, 35.7575),
    serials="THR",
    language="fa",
    streets=STREETS,
    zones=ZONES,
    plate_letters="بجدسصطقلمنوهی",
    plate_form="DDLDDDDD",
    refund_limit=2_000_000,
)
