"""Addresses of the citizen's pages that need no money, and of the warden's page."""

from django.urls import path

from parking.views import (
    about,
    any_spot,
    bookings,
    find,
    language,
    map_data,
    more_time,
    offline,
    plate,
    privacy,
    spot,
    tariff,
    tiles,
    vehicles,
    warden,
)

app_name = "parking"
urlpatterns = [
    path("", find.find, name="find"),
    path("spots/<int:spot_id>/", spot.spot, name="spot"),
    path("spots/<int:spot_id>/hold/", spot.hold, name="hold"),
    path("bookings/", bookings.my_bookings, name="my-bookings"),
    path("bookings/forget/", bookings.forget, name="forget-bookings"),
    path("bookings/<reference>/calendar.ics", bookings.calendar, name="calendar"),
    path("bookings/<reference>/plate/", plate.correct, name="correct-plate"),
    path("bookings/<reference>/on-my-way/", more_time.more_time, name="more-time"),
    path("vehicles/", vehicles.vehicle_list, name="vehicles"),
    path("vehicles/<int:vehicle_id>/", vehicles.vehicle, name="vehicle"),
    path("vehicles/<int:vehicle_id>/first/", vehicles.offer_first, name="vehicle-first"),
    path("vehicles/<int:vehicle_id>/forget/", vehicles.forget, name="vehicle-forget"),
    path("zones/<slug:code>/any/", any_spot.hold_any, name="any-spot"),
    path("zones/<slug:code>/tariff/", tariff.tariff, name="tariff"),
    path("map/spots.json", map_data.spots, name="map-layer"),
    path("map/streets.json", map_data.streets, name="map-streets"),
    path("map/busy.json", map_data.busy, name="map-busy"),
    path("language/", language.choose, name="language"),
    path("accessibility/", about.accessibility, name="accessibility"),
    path("styleguide/", about.style_guide, name="style-guide"),
    path("offline/", offline.offline, name="offline"),
    path("manifest.webmanifest", offline.manifest, name="manifest"),
    path("map/tiles/<int:zoom>/<int:x>/<int:y>", tiles.tile, name="map-tile"),
    path("privacy/", privacy.privacy, name="privacy"),
    path("warden/", warden.warden, name="warden"),
]
