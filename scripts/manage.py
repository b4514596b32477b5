"""`make manage` and `make shell`: one command of manage.py on the data of `make run`.

Beside a running site it uses that site's servers; otherwise it starts them for as long as it takes.
"""

import os
import sys

from scripts import environment
from scripts.environment import Ports
from scripts.local_services import Postgres, Redis, running
from scripts.places import BusyError, Place, SetupError
from scripts.with_services import run


def main(arguments: list[str]) -> int:
    """Run the command; return its exit code."""
    command = [sys.executable, "manage.py", *arguments]
    place = Place("run")
    try:
        city = environment.city(os.environ)
        with place.alone():
            postgres = None if os.environ.get("DATABASE_URL") else Postgres(place)
            redis = None if os.environ.get("REDIS_URL") else Redis(place)
            env = environment.for_site(
                os.environ,
                place,
                Ports.wanted(os.environ),
                database_url=postgres.url(f"curblight_{city}") if postgres else "",
                redis_url=redis.url if redis else "",
            )
            with running(place, *(server for server in (postgres, redis) if server)):
                if postgres:
                    postgres.create_database(f"curblight_{city}")
                return run(command, env)
    except BusyError:
        env_of_site = environment.of_running_site(place)
        if env_of_site is None:
            print("make manage: the site is starting; try again when it is up.", file=sys.stderr)
            return 1
        return run(command, env_of_site)
    except SetupError as error:
        print(f"make manage: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
