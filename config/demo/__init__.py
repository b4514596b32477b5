"""Two cities to try the site with: their streets, their prices, and some weeks of life."""

from config.demo import helsinki, tehran
from config.demo.plan import City

CITIES: dict[str, City] = {"helsinki": helsinki.CITY, "tehran": tehran.CITY}
