"""`python -m config.mqtt`: take what meters say over MQTT. Only where METER_MQTT_URL is set."""

import asyncio
import os
import signal
import sys

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup()

from django.conf import settings  # noqa: E402 (needs the settings)

from parking.edge_mqtt import listen  # noqa: E402


async def main() -> None:
    """Listen until somebody ends the process."""
    listening = asyncio.create_task(listen(ready=lambda: print("listening", flush=True)))  # noqa: T201
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, listening.cancel)
    await asyncio.wait({listening})


if __name__ == "__main__":
    if not settings.METER_MQTT_URL:
        sys.exit("METER_MQTT_URL is empty: there is no broker to listen at")
    asyncio.run(main())
