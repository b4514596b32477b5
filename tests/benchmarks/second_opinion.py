"""Compare the engine with the slow pricer on many random tariffs and stays.

`python -m tests.benchmarks.second_opinion [EXAMPLES]`, 20,000 by default; every run draws others.
"""

import sys
from time import perf_counter

from hypothesis import HealthCheck, Phase, given, settings

from tests.parking.pricing.strategies import Example, examples
from tests.parking.pricing.test_second_opinion import compare


def main(count: int) -> int:
    """Compare `count` examples; a difference ends the run with the smallest example of it."""
    compared = 0

    @settings(
        max_examples=count,
        deadline=None,
        database=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    @given(examples())
    def run(example: Example) -> None:
        nonlocal compared
        compared += 1
        compare(example)

    began = perf_counter()
    run()
    seconds = perf_counter() - began
    sys.stdout.write(f"both pricers agree on {compared:,} stays, in {seconds:.0f} s\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 20_000))
