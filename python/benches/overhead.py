"""What a search costs beside the calls of its victim: `python benches/overhead.py`.

Prints CPU milliseconds per 1,000 evaluations, medians of several repeats: the callable alone, on as many
inputs in calls of the same size; `trompe.fool` and `trompe.Search` by turns, on pixels and on patches; and,
where it is installed, pyribs with Gaussian mutations on as many numbers as an image has pixels, in calls of
the same size and of 30, the size of its tutorial on fooling a digit classifier. The victim is the same
everywhere.
"""

from __future__ import annotations

import importlib.util
import os
import statistics
import time
from collections.abc import Callable
from functools import partial
from typing import Any, Literal, get_args

# A library that waits in threads of its own for the next product would count as search.
os.environ["OPENBLAS_NUM_THREADS"] = "1"

import numpy as np

import trompe

EVALUATIONS = 10_000
REPEATS = 5
SIDE = 28
#: No candidate reaches it, so that the whole budget is spent.
UNREACHED = 1 - 1e-15


def score(images: Any) -> Any:
    """Log-odds of ten classes, of one matrix product."""
    return images.reshape(len(images), -1).astype(np.float32) @ WEIGHTS


WEIGHTS = np.random.default_rng(1).normal(0, 1e-4, (SIDE * SIDE, 10)).astype(np.float32)
Generator = Literal["pixels", "patches"]
CLASSES = [str(digit) for digit in range(10)]
OPTIONS: dict[str, Any] = {"budget": EVALUATIONS, "threshold": UNREACHED}


def fool(generator: Generator) -> None:
    """Run a whole search with its report."""
    victim = trompe.Victim(score, classes=CLASSES, image=(SIDE, SIDE, 1), output="log_odds")
    trompe.fool(victim, generator=generator, random_candidates=0, **OPTIONS)


def turns(generator: Generator) -> list[int]:
    """Search by turns, and return the sizes of its generations."""
    search = trompe.Search(
        CLASSES, image=(SIDE, SIDE, 1), output="log_odds", generator=generator, **OPTIONS
    )
    sizes = []
    while not search.done:
        images = search.ask()
        sizes.append(len(images))
        search.tell(score(images))
    return sizes


def alone(sizes: list[int]) -> Callable[[], None]:
    """Call the victim alone, in calls of these sizes."""
    images = np.zeros((max(sizes), SIDE, SIDE, 1), dtype=np.uint8)

    def call() -> None:
        for size in sizes:
            score(images[:size])

    return call


def pyribs(batch: int) -> Callable[[], None]:
    """Ask and tell of pyribs, a niche a class."""
    from ribs.archives import GridArchive  # type: ignore[import-not-found]
    from ribs.emitters import GaussianEmitter  # type: ignore[import-not-found]
    from ribs.schedulers import Scheduler  # type: ignore[import-not-found]

    def search() -> None:
        size = SIDE * SIDE
        archive = GridArchive(solution_dim=size, dims=[10], ranges=[(0, 10)], seed=1)
        start = np.full(size, 128.0)
        emitter = GaussianEmitter(
            archive, sigma=10, x0=start, bounds=[(0, 255)] * size, batch_size=batch, seed=1
        )
        scheduler = Scheduler(archive, [emitter])
        for _ in range(EVALUATIONS // batch):
            scores = score(scheduler.ask().astype(np.uint8))
            scheduler.tell(scores.max(axis=1), scores.argmax(axis=1)[:, None] + 0.5)

    return search


def main() -> None:
    """Measure and print."""
    sizes = turns("pixels")
    work: dict[str, Callable[[], Any]] = {"the callable alone": alone(sizes)}
    for generator in get_args(Generator):
        work[f"trompe.fool, {generator}"] = partial(fool, generator)
        work[f"trompe.Search, {generator}"] = partial(turns, generator)
    if importlib.util.find_spec("ribs"):
        size = int(statistics.median(sizes))
        work[f"pyribs, {size} a call"] = pyribs(size)
        work["pyribs, 30 a call"] = pyribs(30)
    seconds: dict[str, list[float]] = {name: [] for name in work}
    for _ in range(REPEATS):
        for name, function in work.items():
            before = time.process_time()
            function()
            seconds[name].append(time.process_time() - before)
    for name, measured in seconds.items():
        per_thousand = 1e6 * statistics.median(measured) / EVALUATIONS
        print(f"{name:22} {per_thousand:8.2f} ms per 1,000 evaluations")


if __name__ == "__main__":
    main()
