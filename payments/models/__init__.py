"""The nouns of money."""

from payments.models.desk import (
    ExportLog,
    MoneyException,
    Reconciliation,
    ReconciliationKind,
)
from payments.models.ledger import (
    Document,
    DocumentKind,
    DocumentSeries,
    LedgerEntry,
    LedgerHead,
    LedgerKind,
    LedgerLine,
)
from payments.models.payment import (
    DEAD_REFUND_STATES,
    UNDECIDED_REFUND_STATES,
    UNDECIDED_STATES,
    Payment,
    PaymentState,
    Refund,
    RefundReason,
    RefundState,
)
from payments.models.post import Mail, MailKind, WebhookEvent

__all__ = [
    "DEAD_REFUND_STATES",
    "UNDECIDED_REFUND_STATES",
    "UNDECIDED_STATES",
    "Document",
    "DocumentKind",
    "DocumentSeries",
    "ExportLog",
    "LedgerEntry",
    "LedgerHead",
    "LedgerKind",
    "LedgerLine",
    "Mail",
    "MailKind",
    "MoneyException",
    "Payment",
    "PaymentState",
    "Reconciliation",
    "ReconciliationKind",
    "Refund",
    "RefundReason",
    "RefundState",
    "WebhookEvent",
]
