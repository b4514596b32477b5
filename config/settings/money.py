"""The payment processor, holds and the auditor's files."""

from environs import validate

from config.settings.installation import CITY_CURRENCY, env
from payments.sandbox.money import DEFAULT_MINIMUMS

STRIPE_API_KEY = env.str("STRIPE_API_KEY", "")
STRIPE_API_BASE = env.str("STRIPE_API_BASE", "https://api.stripe.com").rstrip("/")
STRIPE_WEBHOOK_SECRETS: list[str] = env.list(
    "STRIPE_WEBHOOK_SECRETS", []
)  # two while one is rotated
# Minor units. A tariff with a price below it is not approved: nobody could pay that.
PROCESSOR_MINIMUM_CHARGE = env.int(
    "PROCESSOR_MINIMUM_CHARGE",
    DEFAULT_MINIMUMS.get(CITY_CURRENCY.lower(), 1),  # as the processor publishes it
    validate=validate.Range(min=0),
)

# A hold lasts ten minutes; by so many more its maker may prolong it, once. 0: never. The
# processor's page lives for half an hour, so more than 20 could not be kept.
HOLD_EXTENSION_MIN = env.int("HOLD_EXTENSION_MIN", 10, validate=validate.Range(min=0, max=20))

# More rows than this, and a file is made by a worker; a workbook takes ten times as long.
EXPORT_DIRECT_ROWS = env.int("EXPORT_DIRECT_ROWS", 100_000, validate=validate.Range(min=0))
EXPORT_KEEP_DAYS = env.int("EXPORT_KEEP_DAYS", 7, validate=validate.Range(min=1))
