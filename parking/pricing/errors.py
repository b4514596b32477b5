"""What can be wrong with a tariff document, and with a wish to park under it."""

from collections.abc import Iterable, Mapping


class TariffError(ValueError):
    """The document is refused. `errors` names each key by its path, and what is wrong with it."""

    def __init__(self, errors: Iterable[tuple[str, str]]) -> None:
        self.errors = list(errors)
        super().__init__("\n".join(f"{path}: {message}" for path, message in self.errors))


class QuoteError(ValueError):
    """The stay has no price. `code` is for programs, `detail` is plain English.

    `params` holds the figures of the detail, for a translated text at the edge.
    """

    def __init__(self, code: str, detail: str, params: Mapping[str, str | int] | None = None):
        self.code = code
        self.detail = detail
        self.params = dict(params or {})
        super().__init__(detail)
