"""The rest of the stay rules, all switched off; events; and what a slot keeps free after it."""

import django.contrib.postgres.constraints
import django.contrib.postgres.fields.ranges
import django.core.validators
import django.db.models.deletion
import django.db.models.expressions
import django.db.models.functions.text
from django.db import migrations, models

# Spots that somebody has so close to the period that the minutes between would not stay free.
# 120 minutes is the longest buffer (stay_rules_buffer_bounded): so far around, the index is asked.
KEPT_FREE = """
CREATE FUNCTION parking_kept_free(wanted_from timestamptz, wanted_to timestamptz)
RETURNS SETOF bigint LANGUAGE plpgsql STABLE ROWS 10 AS $$
BEGIN
  IF NOT EXISTS (SELECT 1 FROM parking_stayrules WHERE buffer_min > 0) THEN
    RETURN;
  END IF;
  RETURN QUERY
    SELECT slot.spot_id FROM parking_slot slot
    JOIN parking_spot spot ON spot.id = slot.spot_id
    JOIN parking_stayrules rules ON rules.zone_id = spot.zone_id AND rules.buffer_min > 0
    WHERE slot.period && tstzrange(wanted_from - interval '120 minutes',
                                   wanted_to + interval '120 minutes')
      AND coalesce(slot.claim, slot.period)
          && tstzrange(wanted_from, wanted_to + rules.buffer_min * interval '1 minute')
      AND slot.state IN ('held', 'expiring', 'confirmed');
END $$
"""


class Migration(migrations.Migration):
    """Fields first, then what must hold of them."""

    dependencies = [
        ("parking", "0005_desk"),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="closure",
            options={
                "ordering": [django.db.models.functions.text.Lower("period")],
                "verbose_name": "closure or event",
                "verbose_name_plural": "closures and events",
            },
        ),
        migrations.RemoveConstraint(
            model_name="closure",
            name="closure_once_per_spot",
        ),
        migrations.AddField(
            model_name="closure",
            name="kind",
            field=models.CharField(
                choices=[("works", "works"), ("event", "event"), ("other", "other")],
                db_default="other",
                default="other",
                max_length=8,
                verbose_name="kind",
            ),
        ),
        migrations.AddField(
            model_name="closure",
            name="longest_stay_min",
            field=models.PositiveIntegerField(
                blank=True,
                help_text="An event that only shortens the stays. Empty: nobody can book.",
                null=True,
                verbose_name="longest stay meanwhile, minutes",
            ),
        ),
        migrations.AddField(
            model_name="closure",
            name="street",
            field=models.CharField(
                blank=True,
                db_default="",
                default="",
                help_text="As its spots have it. Empty: every street of the zone.",
                max_length=160,
                verbose_name="street",
            ),
        ),
        migrations.AddField(
            model_name="slot",
            name="claim",
            field=django.contrib.postgres.fields.ranges.DateTimeRangeField(
                blank=True,
                help_text="Frozen when held; empty where the zone keeps nothing free.",
                null=True,
                verbose_name="period with what is kept free after it",
            ),
        ),
        migrations.AddField(
            model_name="stayrules",
            name="buffer_min",
            field=models.PositiveSmallIntegerField(
                db_default=0,
                default=0,
                help_text="On each spot, after every booking made from now on; 0: they may touch.",
                verbose_name="kept free between bookings, minutes",
            ),
        ),
        migrations.AddField(
            model_name="stayrules",
            name="lead_time_min",
            field=models.PositiveIntegerField(
                db_default=0,
                default=0,
                help_text="A stay must be booked this long before it starts; 0: at once.",
                verbose_name="lead time, minutes",
            ),
        ),
        migrations.AddField(
            model_name="stayrules",
            name="most_stays_ahead",
            field=models.PositiveSmallIntegerField(
                blank=True,
                help_text="Running or to come, in this zone at one time; empty: no limit.",
                null=True,
                verbose_name="most stays ahead per vehicle",
            ),
        ),
        migrations.AddField(
            model_name="stayrules",
            name="no_return_min",
            field=models.PositiveIntegerField(
                db_default=0,
                default=0,
                help_text="Between two stays of one vehicle in this zone; 0: it may come back at once.",
                verbose_name="no return within, minutes",
            ),
        ),
        migrations.AddField(
            model_name="stayrules",
            name="reservable_percent",
            field=models.PositiveSmallIntegerField(
                blank=True,
                help_text="Of its spots in this zone, at the same time, rounded down; the rest is for those who come now. Empty: all.",
                null=True,
                validators=[django.core.validators.MaxValueValidator(100)],
                verbose_name="share of a street that may be reserved, percent",
            ),
        ),
        migrations.AddField(
            model_name="stayrules",
            name="walk_up_min",
            field=models.PositiveSmallIntegerField(
                db_default=15,
                default=15,
                help_text="A stay that starts this soon after booking does not count in that share.",
                verbose_name="not a reservation within, minutes",
            ),
        ),
        migrations.AlterField(
            model_name="closure",
            name="reason",
            field=models.CharField(
                help_text="People read it, such as “Street market”.",
                max_length=200,
                verbose_name="reason",
            ),
        ),
        migrations.AlterField(
            model_name="closure",
            name="spot",
            field=models.ForeignKey(
                blank=True,
                help_text="Empty: the whole street, or the whole zone.",
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="closures",
                to="parking.spot",
                verbose_name="spot",
            ),
        ),
        migrations.AddConstraint(
            model_name="closure",
            constraint=django.contrib.postgres.constraints.ExclusionConstraint(
                condition=models.Q(("longest_stay_min__isnull", True), ("spot__isnull", False)),
                expressions=[("spot", "="), ("period", "&&")],
                name="closure_once_per_spot",
                violation_error_message="This spot is already closed in that time.",
            ),
        ),
        migrations.AddConstraint(
            model_name="closure",
            constraint=models.CheckConstraint(
                condition=models.Q(("street", ""), ("spot__isnull", True), _connector="OR"),
                name="closure_of_street_or_spot",
                violation_error_message="Choose a street or a spot, not both.",
            ),
        ),
        migrations.AddConstraint(
            model_name="closure",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("longest_stay_min__isnull", True),
                    models.Q(
                        ("kind", "event"),
                        ("longest_stay_min__gte", 1),
                        ("longest_stay_min__isnull", False),
                    ),
                    _connector="OR",
                ),
                name="closure_only_events_shorten",
                violation_error_message="Only an event can shorten stays, to a minute or more.",
            ),
        ),
        migrations.AddConstraint(
            model_name="slot",
            constraint=django.contrib.postgres.constraints.ExclusionConstraint(
                condition=models.Q(
                    ("claim__isnull", False), ("state__in", ("held", "expiring", "confirmed"))
                ),
                expressions=[("spot", "="), ("booking", "<>"), ("claim", "&&")],
                name="slot_keeps_its_buffer",
                violation_error_message="This spot is kept free between bookings then.",
            ),
        ),
        migrations.AddConstraint(
            model_name="slot",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("claim__isnull", True),
                    ("claim__contains", models.F("period")),
                    _connector="OR",
                ),
                name="slot_claim_holds_period",
            ),
        ),
        migrations.AddConstraint(
            model_name="stayrules",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "lead_time_min__lte",
                        django.db.models.expressions.CombinedExpression(
                            models.F("book_ahead_days"), "*", models.Value(1440)
                        ),
                    )
                ),
                name="stay_rules_lead_within_ahead",
                violation_error_message="The lead time is longer than the zone can be booked ahead.",
            ),
        ),
        migrations.AddConstraint(
            model_name="stayrules",
            constraint=models.CheckConstraint(
                condition=models.Q(("no_return_min__lte", 10080)),
                name="stay_rules_no_return_in_a_week",
                violation_error_message="A vehicle cannot be kept away for more than a week.",
            ),
        ),
        migrations.AddConstraint(
            model_name="stayrules",
            constraint=models.CheckConstraint(
                condition=models.Q(("buffer_min__lte", 120)),
                name="stay_rules_buffer_bounded",
                violation_error_message="At most 120 minutes can be kept free between bookings.",
            ),
        ),
        migrations.AddConstraint(
            model_name="stayrules",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("reservable_percent__isnull", True),
                    ("reservable_percent__lte", 100),
                    _connector="OR",
                ),
                name="stay_rules_share_is_percent",
                violation_error_message="A share is 0 to 100 percent.",
            ),
        ),
        migrations.AddConstraint(
            model_name="stayrules",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("most_stays_ahead__isnull", True),
                    ("most_stays_ahead__gte", 1),
                    _connector="OR",
                ),
                name="stay_rules_some_stay_ahead",
                violation_error_message="A vehicle needs at least one stay; empty: no limit.",
            ),
        ),
        migrations.RunSQL(KEPT_FREE, "DROP FUNCTION parking_kept_free(timestamptz, timestamptz)"),
    ]
