"""The operator's desk."""

from django.contrib.admin import AdminSite
from django.utils.translation import gettext_lazy as _


class CurblightAdminSite(AdminSite):
    """The admin under the city's name."""

    site_header = _("Curblight desk")
    site_title = _("Curblight")
    index_title = _("The city's kerb")
