"""A code by e-mail: for accounts, and for guests who want to see their bookings.

Every address is answered in the same way, on the page and by letter, whether anybody is known by
it. Whoever types the code has shown that the address is theirs: of an account, they are signed in;
of guests, this browser session sees the bookings that were made with the address.
"""

from __future__ import annotations

from typing import Any

from allauth.account import views
from allauth.account.adapter import get_adapter
from allauth.account.internal.flows.login_by_code import LoginCodeVerificationProcess
from allauth.account.internal.stagekit import clear_login
from allauth.account.models import EmailAddress, Login
from allauth.account.stages import LoginByCodeStage, LoginStageController
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect

from parking import access


class CodeStage(LoginByCodeStage):  # type: ignore[misc]
    """Waiting for the code, which keeps nobody from taking another way or another address."""

    def is_resumable(self, request: HttpRequest) -> bool:
        """Lead nobody back by force."""
        return False


class CodeByMail(LoginCodeVerificationProcess):  # type: ignore[misc]
    """One code, sent to one address; `user` is None where the address belongs to no account."""

    def send_by_email(self, email: str, skip_enumeration_mails: bool = False) -> None:
        """Send the same letter to everybody."""
        context = {"request": self.request, "code": self.generate_code()}
        get_adapter().send_mail("account/email/login_code", email, context)

    def finish(self, redirect_url: str | None) -> HttpResponse:
        """Sign the account in, or show a guest their bookings."""
        email = self.state["email"]
        if self.user is not None:
            _lock_out_who_never_read_the_address(self.user, email)
            if not EmailAddress.objects.filter(user=self.user).exists():  # made by the office
                EmailAddress.objects.create(user=self.user, email=email, primary=True)
            return super().finish(redirect_url)  # type: ignore[no-any-return]
        clear_login(self.request)
        self.request.session.cycle_key()
        access.prove_address(self.request, email)
        return redirect(redirect_url or "parking:my-bookings")


class RequestCode(views.RequestLoginCodeView):  # type: ignore[misc]
    """Ask for the address and send the code."""

    def form_valid(self, form: Any) -> HttpResponse:
        """Send the code and go on to where it is typed."""
        email = form.cleaned_data["email"]
        process = CodeByMail(_stage(self.request, form._user, email))  # noqa: SLF001
        process.state.update(CodeByMail.initial_state(user=form._user, email=email))  # noqa: SLF001
        process.state["initiated_by_user"] = True
        process.send()
        process.persist()
        return HttpResponseRedirect(self.get_success_url())


class ConfirmCode(views.ConfirmLoginCodeView):  # type: ignore[misc]
    """Ask for the code; three wrong ones end it."""

    def _verify_form_valid(self, form: Any) -> HttpResponse:
        return CodeByMail(self.stage).finish(self.get_next_url())

    def _resend_form_valid(self, form: Any) -> HttpResponse:
        self._process = CodeByMail(self.stage)
        return super()._resend_form_valid(form)  # type: ignore[no-any-return]


def _stage(request: HttpRequest, user: User | None, email: str) -> CodeStage:
    login = Login(user=user, email=email)
    login.state["stages"] = {"current": CodeStage.key}
    return CodeStage(LoginStageController(request, login), request, login)


def _lock_out_who_never_read_the_address(user: User, email: str) -> None:
    """Take the password of an account whose maker had not shown that the address is theirs."""
    if EmailAddress.objects.filter(user=user, email__iexact=email, verified=False).exists():
        user.set_unusable_password()
        user.save(update_fields=["password"])
