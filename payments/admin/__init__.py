"""Money in the desk: read and followed from row to row; never edited, also not by superusers.

What changes money is a rule with a ledger entry (`payments.states`, `payments.refunds`). The one
thing that people write here is who looks after an exception, and what they found.
"""

from payments.admin import exceptions, money, records

__all__ = ["exceptions", "money", "records"]
