"""The nouns of money."""

from payments.models.desk import (
    ExceptionStep,
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
from payments.models.officers import RefundDecision, RefundLimit, RefundRequest
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
from payments.models.periods import AcceptedException, ClosedPeriod, PeriodKind
from payments.models.post import Mail, MailKind, WebhookEvent
from payments.models.processor import Dispute, DisputeState, Payout, PayoutPart

__all__ = [
    "DEAD_REFUND_STATES",
    "OPEN_EXPORT_STATES",
    "UNDECIDED_REFUND_STATES",
    "UNDECIDED_STATES",
    "AcceptedException",
    "ClosedPeriod",
    "Dispute",
    "DisputeState",
    "Document",
    "DocumentKind",
    "DocumentSeries",
    "ExceptionStep",
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
    "Payout",
    "PayoutPart",
    "PeriodKind",
    "Reconciliation",
    "ReconciliationKind",
    "Refund",
    "RefundDecision",
    "RefundLimit",
    "RefundReason",
    "RefundRequest",
    "RefundState",
    "WebhookEvent",
]
