"""The command line: reads options, refuses unsafe ones, runs until it is told to stop."""

import argparse
import ipaddress
import logging
import signal
import threading
import urllib.parse
from collections.abc import Sequence
from types import FrameType

from payments.sandbox.delivery import Deliverer
from payments.sandbox.engine import Engine
from payments.sandbox.money import DEFAULT_MINIMUMS, EXPONENTS, Terms
from payments.sandbox.store import StateFileError, Store
from payments.sandbox.web.server import Server, Site

logger = logging.getLogger(__name__)


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    options = argparse.ArgumentParser(
        prog="python -m payments.sandbox",
        description="A stand-in for Stripe's test mode: API, hosted payment page, webhooks.",
    )
    options.add_argument("--port", type=int, default=8010, help="0 takes any free port")
    options.add_argument("--host", default="127.0.0.1", help="an address of this machine")
    options.add_argument(
        "--unsafe-listen",
        action="store_true",
        help="allow a --host that others can reach, as in a container; anybody may then control it",
    )
    options.add_argument(
        "--public-url",
        type=_address,
        help="how browsers reach it, if not by --host and --port",
    )
    options.add_argument(
        "--state", default=":memory:", metavar="FILE", help="keep everything in FILE over a restart"
    )
    options.add_argument("--webhook-url", type=_address, help="where events are sent")
    options.add_argument(
        "--webhook-secret",
        action="extend",
        default=[],
        type=_secrets,
        metavar="whsec_…",
        help="signs what is sent there; several, with commas between, during a rotation",
    )
    options.add_argument(
        "--webhook-event",
        action="append",
        default=[],
        metavar="TYPE",
        help="send only events of this type there, such as refund.updated; may be given again",
    )
    options.add_argument(
        "--minimum",
        action="append",
        default=[],
        type=_minimum,
        metavar="CURRENCY=AMOUNT",
        help="smallest charge in minor units, such as eur=50",
    )
    options.add_argument("--fee-basis-points", type=_count, default=150)
    options.add_argument("--fee-fixed", type=_count, default=25, help="in minor units")
    options.add_argument(
        "--refund-delay", type=_count, default=10, help="seconds until a slow refund is decided"
    )
    options.add_argument("--seed", type=int, help="makes the chance of faults repeatable")
    options.add_argument("--verbose", action="store_true", help="log every request")
    return options


def _address(word: str) -> str:
    try:
        parts = urllib.parse.urlsplit(word)
        good = parts.scheme in ("http", "https") and parts.hostname and (parts.port or True)
    except ValueError:
        good = False
    if not good:
        raise argparse.ArgumentTypeError(f"{word!r} is not an http address")
    return word.rstrip("/") if parts.path == "/" else word


def _secrets(word: str) -> list[str]:
    secrets = [secret.strip() for secret in word.split(",")]
    if not all(secret.startswith("whsec_") for secret in secrets):
        raise argparse.ArgumentTypeError("a secret begins with whsec_")
    return secrets


def _count(word: str) -> int:
    if not word.isascii() or not word.isdigit():
        raise argparse.ArgumentTypeError(f"{word!r} is not a whole number from 0")
    return int(word)


def _minimum(word: str) -> tuple[str, int]:
    currency, _, amount = word.partition("=")
    if currency.lower() not in EXPONENTS:
        raise argparse.ArgumentTypeError(f"{currency!r} is not a currency of the sandbox")
    return currency.lower(), _count(amount)


def is_loopback(host: str) -> bool:
    """Tell whether only this machine can reach an address."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the sandbox; return 0 when it was told to stop, 2 when it could not start."""
    options = parser()
    chosen = options.parse_args(arguments)
    logging.basicConfig(
        level=logging.INFO if chosen.verbose else logging.WARNING,
        format="%(levelname)s %(message)s",
    )
    logger.setLevel(logging.INFO)
    if not is_loopback(chosen.host) and not chosen.unsafe_listen:
        options.error(
            f"--host {chosen.host} can be reached by others: anybody could control the sandbox."
            " In a container, where that is meant, add --unsafe-listen."
        )
    if chosen.webhook_url and not chosen.webhook_secret:
        options.error("--webhook-url needs --webhook-secret")
    try:
        return _serve(chosen)
    except (StateFileError, OSError, OverflowError) as error:
        logger.error("The sandbox cannot start on %s:%s. %s", chosen.host, chosen.port, error)
        return 2


def _serve(chosen: argparse.Namespace) -> int:
    store = Store(chosen.state)
    engine = Engine(
        store,
        terms=Terms(
            minimums=DEFAULT_MINIMUMS | dict(chosen.minimum),
            fee_basis_points=chosen.fee_basis_points,
            fee_fixed=chosen.fee_fixed,
            refund_delay=chosen.refund_delay,
        ),
        webhook_url=chosen.webhook_url,
        webhook_secrets=chosen.webhook_secret,
        webhook_events=chosen.webhook_event,
        seed=chosen.seed,
    )
    server = Server(Site(engine, any_host=chosen.unsafe_listen), host=chosen.host, port=chosen.port)
    engine.public_url = chosen.public_url or server.url
    deliverer = Deliverer(engine)

    def stop(_signal: int, _frame: FrameType | None) -> None:
        threading.Thread(target=server.shutdown).start()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    deliverer.start()
    logger.info("Payment sandbox at %s (TEST MODE), state in %s", engine.public_url, chosen.state)
    try:
        server.serve_forever()
    finally:
        server.server_close()
        deliverer.stop()
        store.close()
    logger.info("Payment sandbox stopped.")
    return 0
