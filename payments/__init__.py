"""Money: checkout, refunds, ledger, reports."""
