"""Who may speak: signatures, clocks, nonces, keys."""

import hashlib
import hmac

import pytest
from redis.exceptions import ConnectionError as RedisAway

from parking import meter_keys, nonces
from parking.models import MeterKey
from parking.signatures import Key, NonceMemory, SignatureRefused, Signed, sign, verify
from tests import cast
from tests.cast import NOW
from tests.parking.street import a_street_meter

KEY = Key("mk_1", b"a secret")
OTHER = Key("mk_2", b"another secret")
AT = 1_772_524_800


def signed(**changes: object) -> dict[str, str]:
    """Return the headers of a PUT, signed by KEY at AT."""
    parts = {
        "key": KEY,
        "method": "PUT",
        "path": "/v1/meters/M/plan",
        "body": b"{}",
        "timestamp": AT,
        "nonce": "nonce-0001",
    }
    return sign(**{**parts, **changes})


def check(headers: dict[str, str], now: float = AT, **changes: object) -> Signed:
    parts = {"method": "PUT", "path": "/v1/meters/M/plan", "body": b"{}"}
    keys = {KEY.key_id: KEY, OTHER.key_id: OTHER}
    return verify(header=headers.get, key_of=keys.get, now=now, **{**parts, **changes})


def refused(headers: dict[str, str], **changes: object) -> str:
    with pytest.raises(SignatureRefused) as caught:
        check(headers, **changes)
    return caught.value.code


def test_the_signature_is_the_one_of_the_protocols_page() -> None:
    digest = hashlib.sha256(b"{}").hexdigest()
    text = f"v1\nPUT\n/v1/meters/M/plan\n{AT}\nnonce-0001\n{digest}"
    expected = hmac.new(b"a secret", text.encode(), "sha256").hexdigest()
    assert signed()["X-Signature"] == f"v1={expected}"


def test_a_true_signature_holds_and_says_who() -> None:
    assert check(signed()) == Signed("mk_1", AT, "nonce-0001")


@pytest.mark.parametrize(
    "changes",
    [
        {"method": "POST"},
        {"path": "/v1/meters/N/plan"},
        {"body": b"{ }"},
        {"timestamp": AT + 1},
        {"nonce": "nonce-0002"},
        {"key": Key("mk_1", b"a guess")},
        {"key": Key("mk_9", b"a secret")},
    ],
)
def test_nothing_signed_may_differ(changes: dict[str, object]) -> None:
    headers = {**signed(**changes)}
    if "timestamp" in changes or "nonce" in changes:  # the header says otherwise
        headers |= {"X-Timestamp": str(AT), "X-Nonce": "nonce-0001"}
    assert refused(headers) == "bad_signature"


@pytest.mark.parametrize("name", ["X-Key-Id", "X-Timestamp", "X-Nonce", "X-Signature"])
@pytest.mark.parametrize("value", [None, "", "é", "a b", "-1", "9" * 40])
def test_headers_that_are_missing_or_misspelt_are_refused(name: str, value: str | None) -> None:
    headers = {**signed(), name: value}
    assert refused(headers) == "bad_signature"


@pytest.mark.parametrize(("off", "code"), [(300, None), (-300, None), (301, 1), (-301, 1)])
def test_a_clock_may_be_five_minutes_off(off: int, code: int | None) -> None:
    if code is None:
        assert check(signed(), now=AT + off)
    else:
        assert refused(signed(), now=AT + off) == "clock_skew"


def test_a_nonce_is_new_once_and_again_after_ten_minutes() -> None:
    memory, word = NonceMemory(), Signed("k", AT, "n")
    assert memory.first_use(word, AT)
    assert not memory.first_use(word, AT + 599)
    assert memory.first_use(word, AT + 601)


def test_a_full_memory_forgets_the_oldest() -> None:
    memory = NonceMemory(size=10)
    assert all(memory.first_use(Signed("k", AT, str(number)), AT) for number in range(50))
    assert not memory.first_use(Signed("k", AT, "49"), AT)


def test_redis_remembers_for_all_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    word = Signed("mk_test", AT, f"n-{id(monkeypatch)}")
    nonces._redis().delete(f"curblight:nonce:{word.key_id}:{word.nonce}")
    assert nonces.first_use(word, now=AT)
    monkeypatch.setattr(nonces, "_memory", NonceMemory())  # another process
    assert not nonces.first_use(word, now=AT)


def test_without_redis_nothing_is_refused_wrongly_and_replays_still_are(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def away() -> None:
        raise RedisAway("gone")

    monkeypatch.setattr(nonces, "_redis", away)
    word = Signed("mk_test", AT, f"m-{id(monkeypatch)}")
    assert nonces.first_use(word, now=AT)
    assert not nonces.first_use(word, now=AT)


@pytest.mark.django_db
def test_a_key_is_kept_encrypted_and_read_again() -> None:
    meter = a_street_meter(cast.a_zone())
    row = MeterKey.objects.get(meter=meter)
    (key,) = meter_keys.keys_of(meter.pk)
    assert len(key.secret) == 32
    assert key.secret not in bytes(row.secret)
    assert key.secret.hex() not in repr(key)


@pytest.mark.django_db
def test_two_keys_are_valid_while_one_is_rotated_and_never_three() -> None:
    meter = a_street_meter(cast.a_zone())
    first = meter_keys.keys_of(meter.pk)[0].key_id
    second = meter_keys.rotate(meter_id=meter.pk, now=NOW).key_id
    assert [key.key_id for key in meter_keys.keys_of(meter.pk)] == [second, first]
    third = meter_keys.rotate(meter_id=meter.pk, now=NOW).key_id
    assert [key.key_id for key in meter_keys.keys_of(meter.pk)] == [third, second]


@pytest.mark.django_db
def test_a_key_of_another_installation_is_named(settings: object) -> None:
    meter = a_street_meter(cast.a_zone())
    settings.METER_KEYS_SECRET = "another secret of another installation"  # type: ignore[attr-defined]
    with pytest.raises(meter_keys.KeyUnreadable, match="METER_KEYS_SECRET"):
        meter_keys.keys_of(meter.pk)
