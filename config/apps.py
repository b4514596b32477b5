"""The admin site under the project's own name."""

from django.contrib.admin.apps import AdminConfig


class CurblightAdminConfig(AdminConfig):
    """Install `config.admin.CurblightAdminSite` as the admin."""

    default_site = "config.admin.CurblightAdminSite"
