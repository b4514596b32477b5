"""Price the cases of a file, one JSON line each: for checks against a city's published prices."""

import json
import os
import sys
from argparse import ArgumentParser
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any, TextIO

from django.core.management.base import BaseCommand, CommandError

from parking.pricing import TariffError
from parking.pricing.cases import Tariffs, UnreadableFile, answers, read_cases, read_json


class Command(BaseCommand):
    """Answer a file of cases."""

    help = "Price each case of a file under a tariff. Prints one JSON line for each."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Ask for the two files."""
        parser.add_argument(
            "--tariff",
            required=True,
            metavar="FILE",
            help='a tariff document, or {"tariffs": {name: document}}',
        )
        parser.add_argument(
            "--cases",
            required=True,
            metavar="FILE",
            help='JSON lines, a JSON list or {"cases": […]}; - reads standard input',
        )

    def handle(self, *, tariff: str, cases: str, **options: Any) -> None:
        """Stream the answers; a broken case has its own error line, a broken file stops."""
        try:
            tariffs = Tariffs(read_json(_open_text(tariff), tariff))
            with _opened(cases) as file:
                for answer in answers(tariffs, read_cases(file, cases)):
                    self.stdout.write(json.dumps(answer))
        except TariffError as error:
            raise CommandError(f"{tariff} is refused:\n{error}") from error
        except UnreadableFile as error:
            raise CommandError(str(error)) from error
        except BrokenPipeError:
            # The reader has seen enough; Python would complain when it flushes at exit.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        except OSError as error:
            raise CommandError(f"{error.filename}: {error.strerror}") from error
        except UnicodeDecodeError as error:
            raise CommandError(f"A file is not UTF-8 text: {error.reason}") from error


def _open_text(path: str) -> str:
    return Path(path).read_text(encoding="utf-8")


def _opened(path: str) -> AbstractContextManager[TextIO]:
    return nullcontext(sys.stdin) if path == "-" else Path(path).open(encoding="utf-8")
