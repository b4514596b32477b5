"""The devices on the poles. What a light should show and what it shows are stored apart."""

from __future__ import annotations

from typing import ClassVar

from django.contrib.gis.db import models
from django.contrib.postgres.fields import ArrayField
from django.core.validators import RegexValidator
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from uuid6 import uuid7

from parking.models.city import Spot, Zone


class LightColour(models.TextChoices):
    """The lamps of one spot; colour is never the only sign."""

    OFF = "off", _("off")
    GREEN = "green", _("green")
    RED = "red", _("red")
    AMBER = "amber", _("amber")


class LightPattern(models.TextChoices):
    """How a lamp burns."""

    NONE = "none", _("not lit")
    STEADY = "steady", _("steady")
    SLOW_BLINK = "slow_blink", _("slow blink")
    FAST_BLINK = "fast_blink", _("fast blink")
    BLINK = "blink", _("blink")
    DOUBLE_BLINK = "double_blink", _("double blink")


class Meter(models.Model):
    """A device that serves 1 to 8 spots, with a light for each."""

    serial = models.CharField(
        _("serial"),
        max_length=32,
        unique=True,
        validators=[
            RegexValidator(
                r"^[A-Za-z0-9._-]+$", _("Latin letters, digits, dots, dashes and underscores only.")
            )
        ],
        help_text=_("Part of the addresses that the meter is called at."),
    )
    zone = models.ForeignKey(Zone, models.PROTECT, related_name="meters", verbose_name=_("zone"))
    location = models.PointField(_("place"), srid=4326)
    edge_url = models.CharField(
        _("address"),
        max_length=200,
        blank=True,
        help_text=_(
            "Of the meter or its gateway, such as https://10.1.2.3; “gateway” for the "
            "installation's own (METER_GATEWAY_URL), “mqtt” for its broker. Empty: the meter only "
            "calls us."
        ),
    )
    is_active = models.BooleanField(_("in use"), default=True)
    # What we ask
    plan_revision = models.PositiveBigIntegerField(_("plan"), default=0)
    plan = models.JSONField(_("current plan"), default=dict, blank=True)
    plan_until = models.DateTimeField(_("plan reaches"), null=True, blank=True)
    # When the plan must be looked at again: the next change of a lamp, or soon. Empty: never seen.
    look_at = models.DateTimeField(null=True, editable=False)
    # While a command is on its way nobody else sends one; the lease ends by itself.
    busy_until = models.DateTimeField(null=True, editable=False)
    resend_after = models.DateTimeField(null=True, editable=False)
    resends = models.PositiveSmallIntegerField(default=0, editable=False)  # in a row, in vain
    # Somebody works at it: until then nobody calls it, and nothing about it is an alarm.
    maintenance_until = models.DateTimeField(_("in maintenance until"), null=True, editable=False)
    # What it said
    reported_revision = models.PositiveBigIntegerField(_("reported plan"), default=0)
    last_seen_at = models.DateTimeField(_("last heard"), null=True, blank=True)
    boot_id = models.CharField(max_length=64, blank=True)
    past_boots = ArrayField(models.CharField(max_length=64), default=list, editable=False)
    state_seq = models.BigIntegerField(default=-1)  # of the last state message of this boot
    firmware = models.CharField(_("firmware"), max_length=40, blank=True)
    battery_pct = models.PositiveSmallIntegerField(_("battery, %"), null=True, blank=True)
    clock_offset_ms = models.BigIntegerField(_("clock off by, ms"), null=True, blank=True)
    faults = ArrayField(
        models.CharField(max_length=64), verbose_name=_("faults"), default=list, blank=True
    )
    external_id = models.CharField(
        _("key in the city's file"), max_length=120, unique=True, null=True, blank=True
    )

    class Meta:
        ordering = ["serial"]
        verbose_name = _("meter")
        verbose_name_plural = _("meters")
        indexes: ClassVar = [models.Index(fields=["look_at"], name="meter_to_look_at")]

    def __str__(self) -> str:
        return self.serial


class MeterKey(models.Model):
    """A shared secret of a meter, encrypted. Two are valid while one is rotated."""

    meter = models.ForeignKey(Meter, models.CASCADE, related_name="keys")
    key_id = models.CharField(max_length=64, unique=True)
    secret = models.BinaryField()  # Fernet token
    created_at = models.DateTimeField(auto_now_add=True)
    retired_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-id"]
        verbose_name = _("meter key")
        verbose_name_plural = _("meter keys")

    def __str__(self) -> str:
        return self.key_id


DIFFERS = ~Q(reported_light=F("desired_light")) | ~Q(reported_pattern=F("desired_pattern"))


class LightQuerySet(models.QuerySet["Light"]):
    """Questions about lights that read as words."""

    def differing(self) -> LightQuerySet:
        """Keep the lights that do not show what they should."""
        return self.filter(DIFFERS)


class Light(models.Model):
    """The lamp of one spot: desired, reported, and how old the report is."""

    spot = models.OneToOneField(Spot, models.CASCADE, related_name="light", primary_key=True)
    desired_light = models.CharField(
        _("should show"), max_length=8, choices=LightColour.choices, default=LightColour.OFF
    )
    desired_pattern = models.CharField(
        _("pattern"), max_length=12, choices=LightPattern.choices, default=LightPattern.NONE
    )
    desired_at = models.DateTimeField(_("since"), null=True, blank=True)
    reported_light = models.CharField(_("shows"), max_length=8, blank=True)
    reported_pattern = models.CharField(_("reported pattern"), max_length=12, blank=True)
    reported_at = models.DateTimeField(_("reported"), null=True, blank=True)
    # One of the two is set once the light was looked at: how long it has been right, or wrong.
    # Kept apart from `reported_at`, which every heartbeat moves.
    converged_at = models.DateTimeField(_("right since"), null=True, editable=False)
    differs_since = models.DateTimeField(_("wrong since"), null=True, editable=False)
    occupied = models.BooleanField(_("occupied"), null=True, blank=True)
    # By our own clock. Since when reports have said "free" without a break: neither silence nor a
    # reboot nor a late message lies between. And when one said "occupied" last.
    free_since = models.DateTimeField(_("free since"), null=True, editable=False)
    occupied_at = models.DateTimeField(_("last occupied"), null=True, editable=False)
    occupied_since = models.DateTimeField(_("occupied since"), null=True, editable=False)
    fault = models.CharField(
        _("unavailable because"), max_length=64, blank=True, help_text=_("Still bookable.")
    )

    objects = LightQuerySet.as_manager()

    class Meta:
        verbose_name = _("light")
        verbose_name_plural = _("lights")
        indexes: ClassVar = [
            # As long as the lights that differ, not as all lights of the city.
            models.Index(
                name="light_unconverged",
                fields=["desired_at"],
                condition=DIFFERS,
            ),
        ]

    def __str__(self) -> str:
        return f"{self.desired_light}/{self.reported_light or '?'}"

    @property
    def converged(self) -> bool:
        """Whether the lamp shows what it should."""
        return (
            self.reported_light == self.desired_light
            and self.reported_pattern == self.desired_pattern
        )


class CommandState(models.TextChoices):
    """PENDING → ACCEPTED → one of the five ends."""

    PENDING = "pending", _("waiting to be sent")
    ACCEPTED = "accepted", _("accepted")
    APPLIED = "applied", _("applied")
    REJECTED = "rejected", _("rejected")
    EXPIRED = "expired", _("expired")
    SUPERSEDED = "superseded", _("superseded")
    DEAD = "dead", _("dead")


OPEN_COMMAND_STATES = (CommandState.PENDING, CommandState.ACCEPTED)


class MeterCommand(models.Model):
    """One plan to be shown by one meter. Written with the booking; Celery only ships it."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    meter = models.ForeignKey(Meter, models.CASCADE, related_name="commands")
    revision = models.PositiveBigIntegerField(_("plan"))
    body = models.JSONField(_("message"))
    state = models.CharField(
        _("state"), max_length=10, choices=CommandState.choices, default=CommandState.PENDING
    )
    created_at = models.DateTimeField(_("asked"))
    not_after = models.DateTimeField(_("not after"))
    attempts = models.PositiveIntegerField(_("attempts"), default=0)
    next_attempt_at = models.DateTimeField(_("next attempt"))
    sent_at = models.DateTimeField(_("sent"), null=True, blank=True)
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True)
    last_error = models.CharField(_("last error"), max_length=200, blank=True)
    # Both are written by the database, whoever moves the command or hears the meter.
    delivered_at = models.DateTimeField(_("delivered"), null=True, editable=False)
    reported_at = models.DateTimeField(_("reported"), null=True, editable=False)

    class Meta:
        ordering = ["-created_at"]
        verbose_name = _("meter command")
        verbose_name_plural = _("meter commands")
        indexes: ClassVar = [
            models.Index(
                name="command_due",
                fields=["next_attempt_at"],
                condition=Q(state__in=OPEN_COMMAND_STATES),
            ),
            # The same plan may be sent again, so a revision can have several commands.
            models.Index(name="command_by_meter", fields=["meter", "-created_at"]),
            # Two questions that are asked again and again of what is new.
            models.Index(
                name="command_unreported",
                fields=["meter", "created_at"],
                condition=Q(reported_at__isnull=True),
            ),
            models.Index(
                name="command_by_end",
                fields=["ended_at"],
                condition=Q(ended_at__isnull=False),
            ),
            models.Index(
                name="command_by_report",
                fields=["reported_at"],
                condition=Q(reported_at__isnull=False),
            ),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["meter"],
                name="command_one_open_per_meter",
                condition=Q(state__in=OPEN_COMMAND_STATES),
            ),
            models.CheckConstraint(
                name="command_end_is_dated",
                condition=Q(state__in=OPEN_COMMAND_STATES) | Q(ended_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"r{self.revision} {self.get_state_display()}"


class MeterEvent(models.Model):
    """Something that a meter noticed, such as an opened door. Told twice, kept once."""

    meter = models.ForeignKey(Meter, models.CASCADE, related_name="events")
    event_id = models.CharField(max_length=64)
    kind = models.CharField(_("what"), max_length=64)
    at = models.DateTimeField(_("at"), help_text=_("By the meter's own clock."))
    received_at = models.DateTimeField(pgettext_lazy("an event was received", "heard"))
    spot = models.PositiveSmallIntegerField(_("lamp"), null=True)
    data = models.JSONField(_("details"), default=dict)

    class Meta:
        ordering = ["-id"]
        verbose_name = _("meter event")
        verbose_name_plural = _("meter events")
        constraints: ClassVar = [
            models.UniqueConstraint("meter", "event_id", name="meter_event_once")
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.at:%Y-%m-%d %H:%M}"
