"""Plans and reports through a real MQTT 5 broker: retained, expiring, signed like over HTTP."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from django.utils import timezone

from parking import courier, lights, meter_keys, meter_mqtt, tasks
from parking.meter_client import Answer, MeterError
from parking.meter_protocol import message
from parking.models import CommandState, Gateway, Light, Meter, MeterCommand, MeterEvent
from parking.mqtt_messages import topic
from parking.signatures import verify
from parking.simulator import broker as simulated
from tests import cast
from tests.parking.broker import Broker, MqttMeter
from tests.parking.street import (
    RunningStreet,
    a_street_meter,
    booked_now,
    eventually,
    lamp,
    shows,
)

pytestmark = pytest.mark.django_db(transaction=True)
WITHIN = 20.0


@pytest.fixture
def meter(broker: Broker, ear: Path, transactional_db: None, settings: Any) -> Iterator[Meter]:
    """A meter of two lamps whose plan lies at the broker."""
    settings.METER_MQTT_URL = broker.url
    # Another broker may be there than for the test before.
    courier.start(meter_mqtt._let_go()).result(5)
    made = a_street_meter(cast.a_zone(), edge_url="mqtt")
    lights.look(now=timezone.now())
    tasks.ship_command(made.pk)
    yield made
    courier.start(meter_mqtt._let_go()).result(5)


@pytest.fixture
def device(broker: Broker, meter: Meter) -> Iterator[MqttMeter]:
    """The device on the pole."""
    running = MqttMeter(broker, meter.serial).start()
    yield running
    running.stop()


def last(meter: Meter) -> MeterCommand:
    found = MeterCommand.objects.filter(meter=meter).order_by("-created_at", "-id").first()
    assert found is not None
    return found


def test_a_confirmed_booking_turns_the_lamp_green_and_the_meter_says_so(
    meter: Meter, device: MqttMeter
) -> None:
    eventually(lambda: shows(meter, 1, "off none"), within=WITHIN)
    booked_now(meter)
    tasks.ship_command(meter.pk)
    eventually(lambda: shows(meter, 1, "green steady"), within=WITHIN)
    eventually(lambda: last(meter).state == CommandState.APPLIED, within=WITHIN)
    assert device.shown(1) == "green steady"
    assert device.shown(2) == "off none"


def test_a_simulated_street_lives_by_the_broker_alone(meter: Meter, broker: Broker) -> None:
    line = simulated.Broker(lambda: meter_mqtt.client("street"))
    street = RunningStreet("http://127.0.0.1:9", broker=line).start()  # nobody is there
    try:
        street.put_up()
        eventually(lambda: shows(meter, 1, "off none"), within=WITHIN)
        booked_now(meter)
        tasks.ship_command(meter.pk)
        eventually(lambda: shows(meter, 1, "green steady"), within=WITHIN)
        eventually(lambda: last(meter).state == CommandState.APPLIED, within=WITHIN)
        device = street.street.devices[meter.serial]
        street.do(lambda: street.street.reboot(device))
        assert street.do(lambda: device.revision) == last(meter).revision, "it lay at the broker"
        street.do(lambda: device.set_clock(time.time() - 4000, now=time.time()))
        street.do(lambda: street.street.tell_all())
        eventually(lambda: abs(street.do(lambda: device.own_time(0.0))) < 30, within=WITHIN)
    finally:
        street.stop()


def test_a_meter_that_was_away_finds_its_plan_at_the_broker(meter: Meter, broker: Broker) -> None:
    booked_now(meter)
    tasks.ship_command(meter.pk)
    assert last(meter).state == CommandState.ACCEPTED
    sent = MeterCommand.objects.count(), last(meter).attempts
    late = MqttMeter(broker, meter.serial).start()
    try:
        eventually(lambda: shows(meter, 1, "green steady"), within=WITHIN)
        assert (MeterCommand.objects.count(), last(meter).attempts) == sent
    finally:
        late.stop()


def test_the_plan_is_the_body_of_http_and_expires_at_not_after(
    meter: Meter, device: MqttMeter
) -> None:
    eventually(lambda: any(name == topic(meter.serial, "plan") for name, *_rest in device.seen))
    (_name, body, headers, expiry), *_more = (
        seen for seen in device.seen if seen[0] == topic(meter.serial, "plan")
    )
    plan = json.loads(body)
    assert {"schema", "meter", "revision", "command_id", "issued_at", "not_after", "spots"} == set(
        plan
    )
    assert 3000 < expiry <= 3600
    verify(
        header=headers.get,
        method="PUT",
        path=f"/v1/meters/{meter.serial}/plan",
        body=body,
        key_of=lambda _key_id: meter_keys.keys_of(meter.pk)[0],
        now=time.time(),
    )


def test_the_broker_forgets_a_plan_that_is_too_old(meter: Meter, broker: Broker) -> None:
    now = timezone.now()
    body = message(
        serial=meter.serial,
        revision=9,
        command_id=None,
        issued_at=now,
        not_after=now + timedelta(seconds=1),
        plan={},
        now=now,
    )
    assert carried(meter, body) is Answer.ACCEPTED
    time.sleep(2.5)
    late = MqttMeter(broker, meter.serial).start()
    try:
        eventually(lambda: any("state" in name for name, *_rest in late.seen))
        assert not any(name.endswith("/plan") for name, *_rest in late.seen)
    finally:
        late.stop()


def test_what_a_meter_says_is_taken_in_its_order(meter: Meter, device: MqttMeter) -> None:
    device.report_events(60)
    events = MeterEvent.objects.filter(meter=meter).order_by("id")
    eventually(lambda: events.count() == 60, within=WITHIN)
    assert list(events.values_list("event_id", flat=True)) == [f"e{n}" for n in range(60)]


def test_a_forged_word_is_not_believed(meter: Meter, device: MqttMeter, ear: Path) -> None:
    eventually(lambda: shows(meter, 1, "off none"), within=WITHIN)
    lie = {**device.device.state(time.time()), "seq": 999}
    lie["spots"][0].update({"light": "red", "pattern": "steady"})
    device.forge("state", lie)
    eventually(lambda: "refused: bad_signature" in ear.read_text(), within=WITHIN)
    assert lamp(meter, 1).light.reported_light == "off"


def test_a_clock_that_is_off_is_told_the_time(meter: Meter, broker: Broker) -> None:
    wrong = MqttMeter(broker, meter.serial, clock_off_s=-4000).start()
    try:
        said = eventually(
            lambda: [seen for seen in wrong.seen if seen[0] == topic(meter.serial, "problems")],
            within=WITHIN,
        )
        told = json.loads(said[0][1])
        assert told["code"] == "clock_skew"
        off = datetime.fromisoformat(told["time"]) - datetime.now(UTC)  # noqa: TID251
        assert abs(off.total_seconds()) < 60
    finally:
        wrong.stop()
    assert Meter.objects.get(pk=meter.pk).last_seen_at is None


def test_while_the_broker_is_away_bookings_stand_and_lights_follow(
    meter: Meter, device: MqttMeter, broker: Broker
) -> None:
    eventually(lambda: shows(meter, 1, "off none"), within=WITHIN)
    broker.stop()
    booked_now(meter)
    tasks.ship_command(meter.pk)
    waiting = last(meter)
    assert (waiting.state, waiting.attempts) == (CommandState.PENDING, 1)
    assert "unreachable" in waiting.last_error
    assert Gateway.objects.get().edge_url == "mqtt"
    device.stop()
    broker.start()
    back = MqttMeter(broker, meter.serial).start()
    try:
        eventually(lambda: _sent(meter) and shows(meter, 1, "green steady"), within=2 * WITHIN)
        assert not Gateway.objects.exists()
    finally:
        back.stop()


def test_the_broker_is_reached_by_tls_and_only_by_its_own_certificate(
    meter: Meter, settings: Any, tmp_path: Path
) -> None:
    certificate, key = _certificate(tmp_path)
    secure = Broker(tmp_path, tls=(certificate, key)).start()
    try:
        settings.METER_MQTT_URL = secure.url
        courier.start(meter_mqtt._let_go()).result(5)
        refused = carried(meter, last(meter).body)
        assert isinstance(refused, MeterError)
        assert "CERTIFICATE_VERIFY_FAILED" in str(refused)
        settings.METER_MQTT_CA_FILE = str(certificate)
        assert carried(meter, last(meter).body) is Answer.ACCEPTED
    finally:
        secure.stop()


def carried(meter: Meter, body: dict[str, Any]) -> Answer | MeterError:
    return courier.carry(
        edge_url="mqtt",
        serial=meter.serial,
        message=body,
        keys=meter_keys.keys_of(meter.pk),
        now=time.time(),
    ).result(20)


def _sent(meter: Meter) -> bool:
    """Let the beat come once, without any back-off."""
    MeterCommand.objects.filter(ended_at=None).update(next_attempt_at=timezone.now())
    tasks.ship_due()
    return Light.objects.filter(spot__meter=meter).exists()


def _certificate(folder: Path) -> tuple[Path, Path]:
    """Make a certificate for localhost that vouches for itself."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)  # noqa: TID251
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    paths = folder / "broker.pem", folder / "broker.key"
    paths[0].write_bytes(made.public_bytes(serialization.Encoding.PEM))
    paths[1].write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return paths
