"""Tariff versions at the desk: the list and its steps, the editor, comparisons and files."""

from parking.admin.tariffs.versions import TariffVersionAdmin

__all__ = ["TariffVersionAdmin"]
