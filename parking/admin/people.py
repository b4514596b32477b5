"""Accounts: found by e-mail address, with their roles; given by superusers only."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from parking.formatting import listed

admin.site.unregister(User)


@admin.register(User)
class PersonAdmin(UserAdmin):  # type: ignore[type-arg]
    """People sign in by e-mail; the username is only a key."""

    list_display = ["email", "roles", "zones", "is_staff", "is_active", "last_login"]
    list_display_links = ["email"]
    search_fields = ["email", "username", "first_name", "last_name"]
    ordering = ["email"]
    add_fieldsets = [
        (None, {"fields": ["username", "email", "usable_password", "password1", "password2"]})
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        """Return the accounts with their groups and zones."""
        return super().get_queryset(request).prefetch_related("groups", "operated_zones")

    @admin.display(description=_("roles"))
    def roles(self, person: User) -> str:
        """Name the person's groups."""
        names = [group.name for group in person.groups.all()]
        return listed([_("superuser"), *names] if person.is_superuser else names)

    @admin.display(description=_("operates"))
    def zones(self, person: Any) -> str:
        """Name the zones that the person operates."""
        return listed(zone.name for zone in person.operated_zones.all())
