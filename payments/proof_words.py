"""Say in the reader's language which place of the books is broken, and how."""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from parking.formatting import number
from payments.proof import Broken

# By the words of the database and of the walk.
_SENTENCES = {
    "is missing": gettext_lazy("The ledger's chain is broken: entry %(number)s is missing."),
    "has lost its lines": gettext_lazy(
        "The ledger's chain is broken: entry %(number)s has lost its lines."
    ),
    "does not balance": gettext_lazy(
        "The ledger's chain is broken: entry %(number)s does not balance."
    ),
    "was changed": gettext_lazy("The ledger's chain is broken: entry %(number)s was changed."),
    "does not follow the entry before it": gettext_lazy(
        "The ledger's chain is broken: entry %(number)s does not follow the entry before it."
    ),
    "has a number that no seal gives": gettext_lazy(
        "The ledger's chain is broken: entry %(number)s has a number that no seal gives."
    ),
    "is not what it was when the chain was last walked": gettext_lazy(
        "The ledger's chain is broken: entry %(number)s is not what it was when the chain was last "
        "walked."
    ),
    "the head is missing": gettext_lazy(
        "The ledger's chain is broken before entry %(number)s: the head is missing."
    ),
    "the head does not agree": gettext_lazy(
        "The ledger's chain is broken before entry %(number)s: the head does not agree."
    ),
}


def broken_words(broken: Broken) -> str:
    """Say what is wrong with the first broken entry."""
    values = {"number": number(broken.number), "problem": broken.problem}
    other = _("The ledger's chain is broken: entry %(number)s (%(problem)s).")
    return str(_SENTENCES.get(broken.problem, other)) % values
