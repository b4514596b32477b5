"""What a citizen holds. The database refuses a double booking, whatever the code does."""

from __future__ import annotations

import secrets
from datetime import datetime
from typing import ClassVar

from django.conf import settings
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateTimeRangeField, RangeOperators
from django.contrib.postgres.indexes import GistIndex
from django.db import models
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.db.models import F, Q
from django.db.models.functions import Upper
from django.utils.translation import gettext_lazy as _

from parking.models.city import Spot
from parking.models.tariff import TariffVersion

# No vowels and no signs that look alike: nothing rude, nothing misread on the phone.
REFERENCE_ALPHABET = "23456789BCDFGHJKMNPQRTVWXYZ"


def new_reference() -> str:
    """Return 8 random signs (about 38 bits) that people can read to each other."""
    number, signs = secrets.randbelow(len(REFERENCE_ALPHABET) ** 8), ""
    for _place in range(8):
        number, sign = divmod(number, len(REFERENCE_ALPHABET))
        signs += REFERENCE_ALPHABET[sign]
    return signs


def new_access_key() -> str:
    """Return the 128-bit key by which a guest reaches the booking without an account."""
    return secrets.token_urlsafe(16)


class SlotState(models.TextChoices):
    """HELD → EXPIRING → RELEASED; HELD or EXPIRING → CONFIRMED → CANCELLED | REPLACED."""

    HELD = "held", _("held")
    EXPIRING = "expiring", _("expiring")
    CONFIRMED = "confirmed", _("confirmed")
    CANCELLED = "cancelled", _("cancelled")
    REPLACED = "replaced", _("replaced")
    RELEASED = "released", _("released")


LIVE_STATES = (SlotState.HELD, SlotState.EXPIRING, SlotState.CONFIRMED)
PENDING_STATES = (SlotState.HELD, SlotState.EXPIRING)  # money may still come
PROLONGED = "hold prolonged"  # in the history: once for a slot


class SlotKind(models.TextChoices):
    """What a slot is to its booking."""

    FIRST = "first", _("booked")
    EXTENSION = "extension", _("extension")  # goes on where the stay ends
    CHANGE = "change", _("change")  # stands for the whole stay from then on


class Booking(models.Model):
    """A citizen's claim to a spot, made of one or more slots."""

    reference = models.CharField(_("reference"), max_length=8, default=new_reference)
    access_key = models.CharField(max_length=22, default=new_access_key, editable=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        related_name="bookings",
        null=True,
        blank=True,
        db_index=False,  # booking_by_user begins with it
        verbose_name=_("account"),
    )
    email = models.EmailField(_("e-mail"))
    plate = models.CharField(_("plate"), max_length=16)
    vehicle_class = models.CharField(_("vehicle class"), max_length=32, blank=True)
    spot = models.ForeignKey(Spot, models.PROTECT, related_name="bookings", verbose_name=_("spot"))
    language = models.CharField(_("language"), max_length=8, default="en")
    created_at = models.DateTimeField(_("made"))

    class Meta:
        ordering = ["-created_at"]
        verbose_name = _("booking")
        verbose_name_plural = _("bookings")
        constraints: ClassVar = [
            # `unique=True` would bring a second index, for questions by LIKE that nobody asks.
            models.UniqueConstraint(
                fields=["reference"],
                name="booking_reference_unique",
                violation_error_message=_("Another booking has this reference."),
            )
        ]
        indexes: ClassVar = [
            models.Index(fields=["user", "-created_at"], name="booking_by_user"),
            models.Index(fields=["plate", "-created_at"], name="booking_by_plate"),
            # A guest is known by the address alone, however it was typed.
            models.Index(
                Upper("email"),
                F("created_at").desc(),
                name="booking_by_guest",
                condition=Q(user__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return self.reference


class SlotQuerySet(models.QuerySet["Slot"]):
    """Questions about slots that read as words."""

    def live(self) -> SlotQuerySet:
        """Keep the slots that occupy their spot."""
        return self.filter(state__in=LIVE_STATES)

    def confirmed(self) -> SlotQuerySet:
        """Keep the slots that are paid, or free with a reason."""
        return self.filter(state=SlotState.CONFIRMED)

    def overlapping(self, start: datetime, end: datetime) -> SlotQuerySet:
        """Keep the slots that share a moment with `[start, end)`."""
        return self.filter(period__overlap=DateTimeTZRange(start, end))

    def covering(self, moment: datetime) -> SlotQuerySet:
        """Keep the slots that contain the moment."""
        return self.filter(period__contains=moment)


class Slot(models.Model):
    """One interval of one spot claimed by a booking. Each extension or change is one more.

    A change replaces the stay: its amount is what it costs more than was paid, and what it costs
    less is `returned` by the slots before it.
    """

    booking = models.ForeignKey(Booking, models.PROTECT, related_name="slots")
    spot = models.ForeignKey(Spot, models.PROTECT, related_name="slots")
    period = DateTimeRangeField(_("period"))
    claim = DateTimeRangeField(
        _("period with what is kept free after it"),
        null=True,
        blank=True,
        help_text=_("Frozen when held; empty where the zone keeps nothing free."),
    )
    state = models.CharField(_("state"), max_length=10, choices=SlotState.choices)
    kind = models.CharField(
        _("kind"),
        max_length=10,
        choices=SlotKind.choices,
        default=SlotKind.FIRST,
        db_default=SlotKind.FIRST,
    )
    follows = models.ForeignKey(
        "self",
        models.PROTECT,
        related_name="+",
        null=True,
        blank=True,
        db_index=False,  # nobody asks backwards, and every hold would pay for it
        verbose_name=_("made for the stay up to"),
        help_text=_("The newest slot of the stay that this one extends or replaces."),
    )
    priced_from = models.DateTimeField(
        _("priced from"),
        null=True,
        blank=True,
        help_text=_("When the stay began that was changed while it ran; empty: with the period."),
    )
    held_until = models.DateTimeField(_("held until"))
    amount = models.BigIntegerField(_("price"), help_text=_("Minor units, frozen when held."))
    returned = models.BigIntegerField(
        _("returned"),
        default=0,
        db_default=0,
        help_text=_("Of the price, by changes that made the stay cheaper. Minor units."),
    )
    currency = models.CharField(_("currency"), max_length=3)
    tariff = models.ForeignKey(TariffVersion, models.PROTECT, related_name="slots")
    quote = models.JSONField(_("quote"))
    free_reason = models.CharField(_("why it is free"), max_length=120, blank=True)
    created_at = models.DateTimeField(_("held"))
    confirmed_at = models.DateTimeField(_("confirmed"), null=True, blank=True)
    ended_at = models.DateTimeField(_("released or cancelled"), null=True, blank=True)

    objects = SlotQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        verbose_name = _("slot")
        verbose_name_plural = _("slots")
        indexes: ClassVar = [
            # The exclusion constraint's own index leads with the spot; a map asks by time.
            GistIndex(
                name="slot_live_by_period",
                fields=["period"],
                include=["spot"],
                condition=Q(state__in=LIVE_STATES),
            ),
            models.Index(
                name="slot_holds_by_end",
                fields=["held_until"],
                condition=Q(state__in=PENDING_STATES),
            ),
            models.Index(  # the letter of a free stay is owed by looking, every few seconds
                name="slot_free_by_confirmation",
                fields=["confirmed_at"],
                condition=Q(state=SlotState.CONFIRMED, amount=0),
            ),
        ]
        constraints: ClassVar = [
            ExclusionConstraint(
                name="slot_no_double_booking",
                expressions=[
                    ("spot", RangeOperators.EQUAL),
                    ("booking", RangeOperators.NOT_EQUAL),
                    ("period", RangeOperators.OVERLAPS),
                ],
                condition=Q(state__in=LIVE_STATES),
                violation_error_message=_("Somebody else has this spot in that time."),
            ),
            # A change that waits for its money may overlap the stay that it will replace.
            ExclusionConstraint(
                name="slot_one_place_at_a_time",
                expressions=[
                    ("booking", RangeOperators.EQUAL),
                    ("period", RangeOperators.OVERLAPS),
                ],
                condition=Q(state=SlotState.CONFIRMED),
                violation_error_message=_("This booking has another spot in that time."),
            ),
            # Stays of one booking may touch. Zones without a buffer have no rows in this index.
            ExclusionConstraint(
                name="slot_keeps_its_buffer",
                expressions=[
                    ("spot", RangeOperators.EQUAL),
                    ("booking", RangeOperators.NOT_EQUAL),
                    ("claim", RangeOperators.OVERLAPS),
                ],
                condition=Q(state__in=LIVE_STATES, claim__isnull=False),
                violation_error_message=_("This spot is kept free between bookings then."),
            ),
            models.CheckConstraint(
                name="slot_claim_holds_period",
                condition=Q(claim__isnull=True) | Q(claim__contains=F("period")),
            ),
            models.CheckConstraint(
                name="slot_period_is_half_open",
                condition=Q(
                    period__isempty=False,
                    period__lower_inf=False,
                    period__upper_inf=False,
                    period__lower_inc=True,
                    period__upper_inc=False,
                ),
            ),
            models.CheckConstraint(name="slot_amount_not_negative", condition=Q(amount__gte=0)),
            models.CheckConstraint(
                name="slot_returned_of_its_price",
                condition=Q(returned__gte=0, returned__lte=F("amount")),
            ),
            models.CheckConstraint(
                name="slot_first_follows_none",
                condition=Q(kind=SlotKind.FIRST, follows__isnull=True)
                | (~Q(kind=SlotKind.FIRST) & Q(follows__isnull=False)),
            ),
            models.CheckConstraint(
                name="slot_confirmed_is_dated",
                condition=~Q(state="confirmed") | Q(confirmed_at__isnull=False),
            ),
            models.CheckConstraint(
                name="slot_free_has_reason",
                condition=~Q(state="confirmed") | Q(amount__gt=0) | ~Q(free_reason=""),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.spot_id} {self.period}"

    @property
    def start(self) -> datetime:
        """The first moment, aware, UTC."""
        return self.period.lower  # type: ignore[no-any-return]

    @property
    def end(self) -> datetime:
        """The first moment after the stay, aware, UTC."""
        return self.period.upper  # type: ignore[no-any-return]

    @property
    def kept(self) -> int:
        """What of its price the city has, unless the stay is ended; minor units."""
        return self.amount - self.returned


class BookingEvent(models.Model):
    """One line of a booking's history: who did what, when and why. Append-only by trigger."""

    booking = models.ForeignKey(Booking, models.PROTECT, related_name="events")
    slot = models.ForeignKey(Slot, models.PROTECT, related_name="+", null=True)
    at = models.DateTimeField(_("at"))
    kind = models.CharField(_("what"), max_length=32)
    actor = models.CharField(_("who"), max_length=64)
    reason = models.CharField(_("why"), max_length=200, blank=True)

    class Meta:
        ordering = ["id"]
        verbose_name = _("booking event")
        verbose_name_plural = _("booking events")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["slot"],
                condition=Q(kind=PROLONGED),
                name="booking_hold_prolonged_once",
                violation_error_message=_("This hold has been prolonged already."),
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.at:%Y-%m-%d %H:%M}"
