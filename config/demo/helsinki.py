"""Helsinki: the streets around Esplanadi, from Kamppi to Kruununhaka and Ullanlinna.

Drawn by hand from public knowledge of the street grid; right to some tens of metres. Prices as the
city publishes them: zone 1 at 4 €/h and zone 2 at 2 €/h, Mon–Fri 9–21 and Sat 9–18.
"""

from __future__ import annotations

from typing import Any

from config.demo.plan import City, Grid, Place, StreetPlan, ZonePlan

# South-west of Mannerheimintie the grid is turned: Bulevardi runs to 60 degrees, Fredrikinkatu
# crosses it at a right angle. Origin: where these two meet.
grid = Grid(origin=(24.9354, 60.1643), bearing=60)

HOLIDAYS = {
    "2026-01-01": "New Year",
    "2026-01-06": "Epiphany",
    "2026-04-03": "Good Friday",
    "2026-04-06": "Easter Monday",
    "2026-05-01": "May Day",
    "2026-05-14": "Ascension",
    "2026-06-20": "Midsummer",
    "2026-12-25": "Christmas Day",
    "2026-12-26": "St Stephen's Day",
    "2027-01-01": "New Year",
    "2027-01-06": "Epiphany",
    "2027-03-26": "Good Friday",
    "2027-03-29": "Easter Monday",
    "2027-05-01": "May Day",
    "2027-05-06": "Ascension",
    "2027-06-26": "Midsummer",
    "2027-12-06": "Independence Day",
    "2027-12-25": "Christmas Day",
    "2028-01-06": "Epiphany",
    "2028-04-14": "Good Friday",
    "2028-04-17": "Easter Monday",
    "2028-05-01": "May Day",
    "2028-05-25": "Ascension",
    "2028-06-24": "Midsummer",
    "2028-12-06": "Independence Day",
    "2028-12-25": "Christmas Day",
    "2028-12-26": "St Stephen's Day",
}


def price(cents_per_hour: int) -> dict[str, Any]:
    """Return the document of a flat rate in the city's paid hours."""
    tiers = [{"per_hour": cents_per_hour}]
    return {
        "currency": "EUR",
        "time_zone": "Europe/Helsinki",
        "holidays": HOLIDAYS,
        "holiday_behaves_like": "sun",
        "bands": [
            {
                "days": ["mon", "tue", "wed", "thu", "fri"],
                "from": "09:00",
                "to": "21:00",
                "tiers": tiers,
            },
            {"days": ["sat"], "from": "09:00", "to": "18:00", "tiers": tiers},
        ],
        "vehicle_classes": {"low_emission": {"percent": 50}, "disabled": {"percent": 0}},
        # Less than half a euro no card can be charged, for a stay as little as for an extension.
        "rounding": {"unit": 50, "mode": "up"},
    }


def _along(name: str, across: float, start: float, end: float, **more: Any) -> StreetPlan:
    return StreetPlan(name, [grid(start, across), grid(end, across)], **more)


def _across(name: str, along: float, start: float, end: float, **more: Any) -> StreetPlan:
    return StreetPlan(name, [grid(along, start), grid(along, end)], **more)


def _box(west: float, south: float, east: float, north: float) -> list[Place]:
    return [(west, south), (east, south), (east, north), (west, north)]


STREETS = [
    # Kamppi and Punavuori
    _along("Eerikinkatu", -320, -560, 300),
    _along("Kalevankatu", -215, -560, 420),
    _along("Lönnrotinkatu", -110, -440, 400, width_m=18),
    _along("Bulevardi", 0, -330, 440, width_m=26),
    _along("Uudenmaankatu", 115, -150, 470),
    _along("Iso Roobertinkatu", 225, -190, 420, has_parking=False),
    _along("Punavuorenkatu", 320, -330, 5),
    _along("Pursimiehenkatu", 423, -420, 15),
    _across("Fredrikinkatu", 0, -430, 423),
    _across("Annankatu", 195, -430, 330),
    _across("Yrjönkatu", 335, -330, 225),
    _across("Albertinkatu", -190, -320, 423),
    _across("Abrahaminkatu", -290, -215, 0),
    # Around Esplanadi
    StreetPlan(
        "Mannerheimintie",
        [(24.9426, 60.1664), (24.9404, 60.1687), (24.9377, 60.1712), (24.9345, 60.1730)],
        width_m=34,
        has_parking=False,
    ),
    StreetPlan("Pohjoisesplanadi", [(24.9432, 60.1674), (24.9528, 60.1680)], width_m=16),
    StreetPlan("Eteläesplanadi", [(24.9440, 60.1666), (24.9522, 60.1672)], width_m=16),
    StreetPlan("Aleksanterinkatu", [(24.9410, 60.1686), (24.9597, 60.1694)], width_m=16),
    StreetPlan("Korkeavuorenkatu", [(24.9450, 60.1666), (24.9465, 60.1631), (24.9486, 60.1587)]),
    StreetPlan("Kasarmikatu", [(24.9472, 60.1668), (24.9487, 60.1645), (24.9515, 60.1590)]),
    StreetPlan("Fabianinkatu", [(24.9478, 60.1719), (24.9490, 60.1677), (24.9512, 60.1640)]),
    StreetPlan("Unioninkatu", [(24.9500, 60.1750), (24.9511, 60.1678), (24.9523, 60.1636)]),
    StreetPlan("Eteläinen Makasiinikatu", [(24.9475, 60.1659), (24.9530, 60.1663)], width_m=12),
    StreetPlan("Ludviginkatu", [(24.9428, 60.1655), (24.9458, 60.1650)], width_m=12),
    StreetPlan("Pieni Roobertinkatu", [(24.9436, 60.1642), (24.9487, 60.1645)], width_m=13),
    StreetPlan("Punanotkonkatu", [(24.9452, 60.1624), (24.9500, 60.1622)], width_m=12),
    # Kruununhaka
    StreetPlan("Hallituskatu", [(24.9458, 60.1697), (24.9500, 60.1699)], width_m=14),
    StreetPlan("Kirkkokatu", [(24.9507, 60.1709), (24.9601, 60.1713)]),
    StreetPlan("Rauhankatu", [(24.9506, 60.1718), (24.9606, 60.1722)]),
    StreetPlan("Vironkatu", [(24.9504, 60.1728), (24.9604, 60.1731)]),
    StreetPlan("Liisankatu", [(24.9501, 60.1738), (24.9612, 60.1741)]),
    StreetPlan("Snellmaninkatu", [(24.9547, 60.1692), (24.9535, 60.1748)]),
    StreetPlan("Mariankatu", [(24.9574, 60.1686), (24.9563, 60.1745)]),
    StreetPlan("Meritullinkatu", [(24.9601, 60.1694), (24.9590, 60.1744)]),
    # Ullanlinna
    StreetPlan("Laivurinkatu", [(24.9395, 60.1611), (24.9416, 60.1583), (24.9428, 60.1560)]),
    StreetPlan("Tarkk'ampujankatu", [(24.9397, 60.1611), (24.9495, 60.1609)]),
    StreetPlan("Vuorimiehenkatu", [(24.9406, 60.1597), (24.9508, 60.1604), (24.9552, 60.1607)]),
    StreetPlan("Tehtaankatu", [(24.9350, 60.1577), (24.9420, 60.1583), (24.9556, 60.1590)]),
    StreetPlan("Kapteeninkatu", [(24.9436, 60.1610), (24.9449, 60.1572)]),
    StreetPlan("Neitsytpolku", [(24.9516, 60.1605), (24.9532, 60.1572)]),
]

ZONES = [
    ZonePlan(
        code="kamppi",
        name="Kamppi",
        prefix="KA",
        boundary=[grid(-560, -400), grid(95, -400), grid(95, -55), grid(-560, -55)],
        tariffs=[price(350), price(400)],
        rules={"longest_stay_min": 240},
    ),
    ZonePlan(
        code="kluuvi",
        name="Kluuvi",
        prefix="KL",
        boundary=[
            grid(100, -400),
            grid(345, -400),
            (24.9495, 60.1720),
            (24.9497, 60.16735),
            (24.9436, 60.16700),
            grid(430, -55),
            grid(100, -55),
        ],
        tariffs=[price(350), price(400)],
        rules={"longest_stay_min": 120},
    ),
    ZonePlan(
        code="punavuori",
        name="Punavuori",
        prefix="PU",
        boundary=[
            grid(-430, -50),
            grid(420, -50),
            grid(425, 250),
            grid(25, 300),
            grid(25, 435),
            grid(-430, 435),
        ],
        tariffs=[price(200)],
        rules={"longest_stay_min": 240},
        demand={"step_amount": 25, "floor": 100, "ceiling": 600},
    ),
    ZonePlan(
        code="kaartinkaupunki",
        name="Kaartinkaupunki",
        prefix="KK",
        boundary=[(24.9445, 60.1617), (24.9540, 60.1617), (24.9540, 60.16735), (24.9445, 60.16690)],
        tariffs=[price(400)],
        rules={"longest_stay_min": 120, "release_after_min": 20},
    ),
    ZonePlan(
        code="kruununhaka",
        name="Kruununhaka",
        prefix="KR",
        boundary=_box(24.9499, 60.1684, 24.9620, 60.1752),
        tariffs=[price(200)],
        rules={"longest_stay_min": 240},
    ),
    ZonePlan(
        code="ullanlinna",
        name="Ullanlinna",
        prefix="UL",
        boundary=[
            (24.9404, 60.1558),
            (24.9565, 60.1558),
            (24.9565, 60.16145),
            (24.9404, 60.16145),
        ],
        tariffs=[price(200)],
        rules={"longest_stay_min": 300},
    ),
]

CITY = City(
    name="Helsinki",
    currency="EUR",
    time_zone="Europe/Helsinki",
    centre=(24.9414, 60.1669),
    serials="HEL",
    language="en",
    streets=STREETS,
    zones=ZONES,
    plate_letters="ABCEFGHIJKLMNOPRSTUVXYZ",
    plate_form="LLLDDD",
    refund_limit=2_000,
)
