"""The operator's desk."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib.admin import AdminSite
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import NoReverseMatch, reverse, reverse_lazy
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache

if TYPE_CHECKING:
    from parking.desk import Figure


class CurblightAdminSite(AdminSite):
    """The admin under the city's name, behind the site's own sign-in."""

    site_header = _("Curblight desk")
    site_title = _("Curblight")
    index_title = _("The city's kerb")
    site_url = reverse_lazy("parking:find")  # type: ignore[assignment]
    enable_nav_sidebar = False  # lists need the width; the way back is in the breadcrumbs

    @method_decorator(never_cache)
    def login(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Send people to the site's sign-in page; tell who is signed in why they may not enter."""
        from allauth.account.decorators import secure_admin_login

        if request.user.is_authenticated and not self.has_permission(request):
            raise PermissionDenied(
                gettext(
                    "Your account has no access to the desk. "
                    "Ask the parking office to give you a role."
                )
            )
        return secure_admin_login(super().login)(request, extra_context)  # type: ignore[no-any-return]

    def index(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> TemplateResponse:
        """Show the day at a glance above the list of everything."""
        return super().index(request, {"figures": _figures(request), **(extra_context or {})})


def _figures(request: HttpRequest) -> list[dict[str, Any]]:
    """Return the figures of the person's zones, as far as they may open the lists behind them."""
    import parking.desk
    import payments.desk
    from parking.admin.scoping import sees_every_zone, visible_zones

    zones, now = visible_zones(request.user), timezone.now()
    found = [
        *parking.desk.figures(zones=zones, now=now),
        *payments.desk.figures(zones=zones, whole_city=sees_every_zone(request.user), now=now),
    ]
    return [
        {
            "figure": figure,
            "url": _url(figure),
            "first": [
                (text, reverse(f"admin:{figure.page}_change", args=[key]))
                for text, key in figure.first
            ],
        }
        for figure in found
        if request.user.has_perm(figure.page.replace("_", ".view_", 1))
    ]


def _url(figure: Figure) -> str:
    try:
        if figure.view:
            return reverse(f"admin:{figure.view}")
        address = reverse(f"admin:{figure.page}_changelist")
    except NoReverseMatch:
        return ""
    return f"{address}?{figure.query}" if figure.query else address
