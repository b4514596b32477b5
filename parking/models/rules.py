"""The rules of staying in a zone, and the times in which others hold."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateTimeRangeField
from django.contrib.postgres.indexes import GistIndex
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.db.models import F, Q
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from parking.models.care import Maintenance
from parking.models.city import Spot, Zone

MOST_CORRECTIONS = 100
LEAST_GRACE_MIN = 10
LONGEST_BUFFER_MIN = 120  # parking_kept_free (migration 0006) looks this far around a period


class StayRules(models.Model):
    """How a spot of a zone may be booked. Kept apart from prices."""

    zone = models.OneToOneField(Zone, models.CASCADE, related_name="stay_rules", primary_key=True)
    longest_stay_min = models.PositiveIntegerField(_("longest stay, minutes"), default=240)
    shortest_stay_min = models.PositiveIntegerField(_("shortest stay, minutes"), default=15)
    slot_step_min = models.PositiveSmallIntegerField(
        _("step, minutes"), default=5, help_text=_("Starts and ends lie on this grid.")
    )
    book_ahead_days = models.PositiveSmallIntegerField(_("bookable ahead, days"), default=7)
    lead_time_min = models.PositiveIntegerField(
        _("lead time, minutes"),
        default=0,
        db_default=0,
        help_text=_("A stay must be booked this long before it starts; 0: at once."),
    )
    bookable_from = models.TimeField(_("bookable from"), null=True, blank=True)
    bookable_to = models.TimeField(_("bookable until"), null=True, blank=True)
    grace_min = models.PositiveSmallIntegerField(
        _("grace, minutes"),
        default=LEAST_GRACE_MIN,
        validators=[MinValueValidator(LEAST_GRACE_MIN)],
        help_text=_("A cancellation this soon after paying refunds everything; at least 10."),
    )
    refund_unused = models.BooleanField(_("refund unused time"), default=True)
    no_return_min = models.PositiveIntegerField(
        _("no return within, minutes"),
        default=0,
        db_default=0,
        help_text=_("Between two stays of one vehicle in this zone; 0: it may come back at once."),
    )
    most_stays_ahead = models.PositiveSmallIntegerField(
        _("most stays ahead per vehicle"),
        null=True,
        blank=True,
        help_text=_("Running or to come, in this zone at one time; empty: no limit."),
    )
    buffer_min = models.PositiveSmallIntegerField(
        _("kept free between bookings, minutes"),
        default=0,
        db_default=0,
        help_text=_("On each spot, after every booking made from now on; 0: they may touch."),
    )
    reservable_percent = models.PositiveSmallIntegerField(
        _("share of a street that may be reserved, percent"),
        null=True,
        blank=True,
        validators=[MaxValueValidator(100)],
        help_text=_(
            "Of its spots in this zone, at the same time, rounded down; the rest is for those who "
            "come now. Empty: all."
        ),
    )
    walk_up_min = models.PositiveSmallIntegerField(
        _("not a reservation within, minutes"),
        default=15,
        db_default=15,
        help_text=_("A stay that starts this soon after booking does not count in that share."),
    )
    release_after_min = models.PositiveSmallIntegerField(
        _("given to others after, minutes"),
        null=True,
        blank=True,
        help_text=_(
            "Where the spot's sensor has seen nobody since the start of the stay: 5 to 120. It "
            "holds for bookings made from now on. Empty: never."
        ),
    )

    corrections = models.PositiveSmallIntegerField(
        _("corrections within 30 days"),
        default=3,
        db_default=3,
        validators=[MaxValueValidator(MOST_CORRECTIONS)],
        help_text=_(
            "How often a person may change the plate, the spot or the time of bookings; what was "
            "changed in other zones counts. 0: bookings stay as they are."
        ),
    )

    class Meta:
        verbose_name = _("stay rules")
        verbose_name_plural = _("stay rules")
        constraints: ClassVar = [
            models.CheckConstraint(
                name="stay_rules_shortest_within_longest",
                condition=Q(shortest_stay_min__lte=F("longest_stay_min")),
                violation_error_message=_("The shortest stay is longer than the longest stay."),
            ),
            models.CheckConstraint(
                name="stay_rules_step_divides_day",
                condition=Q(slot_step_min__in=[1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30, 60]),
                violation_error_message=_("The step must divide an hour."),
            ),
            models.CheckConstraint(
                name="stay_rules_bookable_hours_both",
                condition=Q(bookable_from__isnull=True, bookable_to__isnull=True)
                | Q(bookable_from__isnull=False, bookable_to__isnull=False),
                violation_error_message=_("Give both ends of the bookable hours, or neither."),
            ),
            models.CheckConstraint(
                name="stay_rules_lead_within_ahead",
                condition=Q(lead_time_min__lte=F("book_ahead_days") * 1440),
                violation_error_message=_(
                    "The lead time is longer than the zone can be booked ahead."
                ),
            ),
            models.CheckConstraint(
                name="stay_rules_no_return_in_a_week",
                condition=Q(no_return_min__lte=7 * 1440),
                violation_error_message=_("A vehicle cannot be kept away for more than a week."),
            ),
            models.CheckConstraint(
                name="stay_rules_buffer_bounded",
                condition=Q(buffer_min__lte=LONGEST_BUFFER_MIN),
                violation_error_message=_("At most 120 minutes can be kept free between bookings."),
            ),
            models.CheckConstraint(
                name="stay_rules_share_is_percent",
                condition=Q(reservable_percent__isnull=True) | Q(reservable_percent__lte=100),
                violation_error_message=_("A share is 0 to 100 percent."),
            ),
            models.CheckConstraint(
                name="stay_rules_some_stay_ahead",
                condition=Q(most_stays_ahead__isnull=True) | Q(most_stays_ahead__gte=1),
                violation_error_message=_("A vehicle needs at least one stay; empty: no limit."),
            ),
            models.CheckConstraint(
                name="stay_rules_corrections_bounded",
                condition=Q(corrections__lte=MOST_CORRECTIONS),
                violation_error_message=_("At most 100 corrections can be allowed."),
            ),
            models.CheckConstraint(
                name="stay_rules_release_bounded",
                condition=Q(release_after_min__isnull=True)
                | Q(release_after_min__gte=5, release_after_min__lte=120),
                violation_error_message=_(
                    "A spot can be given to others 5 to 120 minutes after the start."
                ),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.zone}"


class ClosureKind(models.TextChoices):
    """Why a place is not as usual."""

    WORKS = "works", _("works")
    EVENT = "event", _("event")
    OTHER = "other", _("other")


class ClosureQuerySet(models.QuerySet["Closure"]):
    """Questions about closures that read as words."""

    def touching(self, *, spot: Spot, start: datetime, end: datetime) -> ClosureQuerySet:
        """Keep what closes the spot, or shortens stays there, at some time of `[start, end)`."""
        return self.filter(
            Q(spot=None) | Q(spot=spot),
            zone=spot.zone_id,
            street__in=["", spot.street],
            period__overlap=DateTimeTZRange(start, end),
        )


class Closure(models.Model):
    """A time in which a zone, a street or a spot is closed, or an event shortens the stays."""

    zone = models.ForeignKey(Zone, models.CASCADE, related_name="closures", verbose_name=_("zone"))
    street = models.CharField(
        _("street"),
        max_length=160,
        blank=True,
        default="",
        db_default="",
        help_text=_("As its spots have it. Empty: every street of the zone."),
    )
    spot = models.ForeignKey(
        Spot,
        models.CASCADE,
        related_name="closures",
        null=True,
        blank=True,
        verbose_name=_("spot"),
        help_text=_("Empty: the whole street, or the whole zone."),
    )
    period = DateTimeRangeField(_("period"))
    kind = models.CharField(
        _("kind"),
        max_length=8,
        choices=ClosureKind.choices,
        default=ClosureKind.OTHER,
        db_default=ClosureKind.OTHER,
    )
    reason = models.CharField(
        _("reason"), max_length=200, help_text=_("People read it, such as “Street market”.")
    )
    longest_stay_min = models.PositiveIntegerField(
        _("longest stay meanwhile, minutes"),
        null=True,
        blank=True,
        help_text=_("An event that only shortens the stays. Empty: nobody can book."),
    )
    # Made with it, and gone with it.
    maintenance = models.ForeignKey(
        Maintenance, models.CASCADE, related_name="closures", null=True, editable=False
    )

    objects = ClosureQuerySet.as_manager()

    class Meta:
        ordering = [Lower("period")]
        verbose_name = _("closure or event")
        verbose_name_plural = _("closures and events")
        indexes: ClassVar = [GistIndex(fields=["period"], name="closure_period")]
        constraints: ClassVar = [
            ExclusionConstraint(
                name="closure_once_per_spot",
                expressions=[("spot", "="), ("period", "&&")],
                condition=Q(spot__isnull=False, longest_stay_min__isnull=True),
                violation_error_message=_("This spot is already closed in that time."),
            ),
            models.CheckConstraint(
                name="closure_has_both_ends",
                condition=Q(
                    period__isempty=False,
                    period__lower_inf=False,
                    period__upper_inf=False,
                ),
                violation_error_message=_("A closure needs a beginning and an end."),
            ),
            models.CheckConstraint(
                name="closure_of_street_or_spot",
                condition=Q(street="") | Q(spot__isnull=True),
                violation_error_message=_("Choose a street or a spot, not both."),
            ),
            models.CheckConstraint(
                name="closure_only_events_shorten",
                # NULL is no answer for PostgreSQL: without the second part it would let it pass.
                condition=Q(longest_stay_min__isnull=True)
                | Q(longest_stay_min__isnull=False, longest_stay_min__gte=1, kind="event"),
                violation_error_message=_("Only an event can shorten stays, to a minute or more."),
            ),
        ]

    def __str__(self) -> str:
        return self.reason
