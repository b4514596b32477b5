"""The nouns of money."""

from payments.models.desk import (
    ExportLog,
    MoneyException,
    Reconciliation,
    ReconciliationKind,
)
from payments.models.export import OPEN_EXPORT_STATES, ExportJob, ExportPart, ExportState
from payments.models.ledger import (
    Document,
    DocumentKind,
    DocumentSeries,
    LedgerCheck,
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
    "OPEN_EXPORT_STATES",
    "UNDECIDED_REFUND_STATES",
    "UNDECIDED_STATES",
    "Document",
    "DocumentKind",
    "DocumentSeries",
    "ExportJob",
    "ExportLog",
    "ExportPart",
    "ExportState",
    "LedgerCheck",
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
