"""The meters, their lights and their broker."""

from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

from config.settings.installation import SECRET_KEY, env

METER_KEYS_SECRET = env.str("METER_KEYS_SECRET", SECRET_KEY)
METER_ALLOWED_NETWORKS = env.list("METER_ALLOWED_NETWORKS", ["127.0.0.0/8", "::1/128"])
METER_GATEWAY_URL = env.str("METER_GATEWAY_URL", "http://127.0.0.1:8020").rstrip("/")
# A broker for meters whose address is “mqtt”: mqtt://user:password@host:1883, or mqtts:// with TLS.
METER_MQTT_URL = env.str("METER_MQTT_URL", "")
_mqtt = urlsplit(METER_MQTT_URL)
if METER_MQTT_URL and (_mqtt.scheme not in {"mqtt", "mqtts"} or not _mqtt.hostname):
    raise ImproperlyConfigured(
        f"METER_MQTT_URL must look like mqtts://broker.example.org, not {METER_MQTT_URL!r}"
    )
METER_MQTT_CA_FILE = env.str("METER_MQTT_CA_FILE", "")  # empty: the machine's authorities
METER_MQTT_CERT_FILE = env.str("METER_MQTT_CERT_FILE", "")  # our own, where the broker asks
METER_MQTT_KEY_FILE = env.str("METER_MQTT_KEY_FILE", "")
METER_LIGHTS = env.json("METER_LIGHTS", {})  # such as {"running": "green steady"}
METER_LEAD_MIN = env.int("METER_LEAD_MIN", 15)  # a booked spot blinks before the start
METER_LAST_MIN = env.int("METER_LAST_MIN", 10)  # and before the end
# Who parks has so long to pay before the light says that nobody has; empty: it never does.
METER_UNPAID_AFTER_MIN = (
    env.int("METER_UNPAID_AFTER_MIN", 5) if env.str("METER_UNPAID_AFTER_MIN", "5") else None
)
