"""Forms of the ways in."""

from __future__ import annotations

import unicodedata
from typing import Any

from allauth.account.forms import ConfirmLoginCodeForm


class CodeForm(ConfirmLoginCodeForm):  # type: ignore[misc]
    """The code that was sent by e-mail, in the digits of any script."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        attrs = self.fields["code"].widget.attrs
        attrs.pop("placeholder", None)
        attrs |= {"inputmode": "numeric", "dir": "ltr", "autofocus": True}

    def clean_code(self) -> str:
        """Compare digits, whatever they look like."""
        typed = self.cleaned_data["code"]
        self.cleaned_data["code"] = "".join(str(unicodedata.digit(sign, sign)) for sign in typed)
        return super().clean_code()  # type: ignore[no-any-return]
