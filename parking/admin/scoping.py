"""Whose rows a person of the desk sees, and whose they change.

Superusers see and change everything. An operator sees and changes the zones that name them.
Who has `parking.view_every_zone` (wardens, auditors) sees the whole city, and still changes only
zones that name them. A row that a person may not see is answered like one that does not exist.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib import admin
from django.contrib.auth.models import AnonymousUser, User
from django.db.models import ForeignKey, ManyToManyField, Model, QuerySet
from django.forms import ModelChoiceField, ModelMultipleChoiceField
from django.http import Http404, HttpRequest

from parking.models import Zone

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

    _ModelAdmin = admin.ModelAdmin[Any]
    _InlineModelAdmin = admin.options.InlineModelAdmin[Any, Any]
    _BaseModelAdmin = admin.options.BaseModelAdmin[Any]
else:
    _ModelAdmin = admin.ModelAdmin
    _InlineModelAdmin = admin.options.InlineModelAdmin
    _BaseModelAdmin = object

Person = User | AnonymousUser


def sees_every_zone(user: Person) -> bool:
    """Say whether the person may look at the whole city."""
    return user.is_superuser or user.has_perm("parking.view_every_zone")


def visible_zones(user: Person) -> QuerySet[Zone]:
    """Return the zones at whose rows the person may look."""
    return Zone.objects.all() if sees_every_zone(user) else own_zones(user)


def own_zones(user: Person) -> QuerySet[Zone]:
    """Return the zones whose rows the person may change."""
    if user.is_superuser:
        return Zone.objects.all()
    return Zone.objects.filter(operators=user.pk)


class ScopedChoices(_BaseModelAdmin):
    """Offer only rows of the person's own zones in the choices of a form."""

    def formfield_for_foreignkey(
        self, db_field: ForeignKey[Any, Any], request: HttpRequest, **kwargs: Any
    ) -> ModelChoiceField[Any] | None:
        """Narrow the choices; the form's own validation then refuses all others."""
        self._narrow(db_field, request, kwargs)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def formfield_for_manytomany(
        self, db_field: ManyToManyField[Any, Any], request: HttpRequest, **kwargs: Any
    ) -> ModelMultipleChoiceField[Any] | None:
        """Narrow the choices, likewise."""
        self._narrow(db_field, request, kwargs)
        return super().formfield_for_manytomany(db_field, request, **kwargs)

    def _narrow(
        self,
        db_field: ForeignKey[Any, Any] | ManyToManyField[Any, Any],
        request: HttpRequest,
        kwargs: dict[str, Any],
    ) -> None:
        related = _scoped_admin_of(self.admin_site, db_field.remote_field.model)
        if related is not None and "queryset" not in kwargs:
            kwargs["queryset"] = related.own(request)


class ZoneScopedAdmin(ScopedChoices, _ModelAdmin):
    """Show a person the rows of the zones that concern them, and let them change their own.

    `zone_path` leads from the model to its zone, as in a filter: `"zone"`, `"spot__zone"`, or
    `""` for the zone itself.
    """

    zone_path: ClassVar[str] = "zone"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Return the rows at which the person may look."""
        rows = super().get_queryset(request)
        if sees_every_zone(request.user):
            return rows
        return self._within(rows, own_zones(request.user))

    def own(self, request: HttpRequest, rows: QuerySet[Any] | None = None) -> QuerySet[Any]:
        """Keep the rows that the person may change; of all rows by default."""
        rows = super().get_queryset(request) if rows is None else rows
        if request.user.is_superuser:
            return rows
        return self._within(rows, own_zones(request.user))

    def get_object(
        self, request: HttpRequest, object_id: str, from_field: str | None = None
    ) -> Any:
        """Return the row, or answer 404: also for one that belongs to somebody else."""
        row = super().get_object(request, object_id, from_field)
        if row is None:
            raise Http404
        return row

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Say whether the person may change rows at all, or this one."""
        return super().has_change_permission(request, obj) and self._is_own(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Say whether the person may delete rows at all, or this one."""
        return super().has_delete_permission(request, obj) and self._is_own(request, obj)

    def _within(self, rows: QuerySet[Any], zones: QuerySet[Zone]) -> QuerySet[Any]:
        return rows.filter(**{f"{self.zone_path or 'pk'}__in": zones.values("pk")})

    def _is_own(self, request: HttpRequest, obj: Model | None) -> bool:
        if obj is None or request.user.is_superuser:
            return True
        for step in self.zone_path.split("__") if self.zone_path else ():
            obj = getattr(obj, step)
        return obj is not None and obj.pk in _own_zone_ids(request)


class ZoneScopedInline(ScopedChoices, _InlineModelAdmin):
    """An inline whose choices are narrowed; its rows are those of the parent."""


class ScopedFilter(admin.RelatedFieldListFilter):
    """A list filter that names only what the person may see."""

    def field_choices(
        self, field: Any, request: HttpRequest, model_admin: admin.ModelAdmin[Any]
    ) -> list[tuple[str, str | _StrPromise]]:
        """Return the choices of the filter."""
        related = _scoped_admin_of(model_admin.admin_site, field.remote_field.model)
        if related is None:
            return super().field_choices(field, request, model_admin)
        visible = related.get_queryset(request).values("pk")
        return field.get_choices(  # type: ignore[no-any-return]
            include_blank=False,
            ordering=self.field_admin_ordering(field, request, model_admin),
            limit_choices_to={"pk__in": visible},
        )


def _scoped_admin_of(site: admin.AdminSite, model: type[Model]) -> ZoneScopedAdmin | None:
    if not site.is_registered(model):
        return None
    found = site.get_model_admin(model)
    return found if isinstance(found, ZoneScopedAdmin) else None


def _own_zone_ids(request: HttpRequest) -> set[int]:
    """Return the ids of the person's zones, read once per request."""
    known: set[int] | None = getattr(request, "_own_zone_ids", None)
    if known is None:
        known = set(own_zones(request.user).values_list("pk", flat=True))
        request._own_zone_ids = known  # type: ignore[attr-defined]  # noqa: SLF001
    return known
