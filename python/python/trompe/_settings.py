"""Settings of a run, as the command writes them to ``run.toml``."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from typing import Any, Literal, get_args

from trompe._victim import Victim

Emitter = Literal["climber", "map-elites", "random", "gradient-ascent"]
Generator = Literal["patches", "pixels", "tiles", "cppn", "values"]


def settings_of(
    victim: Victim,
    *,
    bank: str | os.PathLike[str] | None,
    generator: Generator | Mapping[str, Any] | None,
    threshold: float | None,
    level: float | None,
    budget: int | None,
    seed: int | None,
    exhibits: int | None,
    emitter: Emitter | Mapping[str, Any] | None,
    targets: Sequence[object],
    seconds: float | None,
    random_candidates: int | None,
    whole_budget: bool = False,
) -> str:
    """Write settings as JSON; what is None has the default of the command."""
    sound = victim.audio is not None
    if sound and generator is not None:
        raise ValueError("generator: it makes images, and the victim takes sound; give bank=")
    if not sound and bank is not None:
        raise ValueError("bank: it is for sound, and the victim takes images; give generator=")
    if not sound and seconds is not None:
        raise ValueError("seconds: the victim takes images")
    _check_name("generator", generator, get_args(Generator))
    _check_name("emitter", emitter, get_args(Emitter))
    for name, count in [("budget", budget), ("exhibits", exhibits), ("seed", seed)]:
        if count is not None and count < 0:
            raise ValueError(f"{name}: {count} is below 0")
    search: dict[str, Any] = {
        "threshold": threshold,
        "level": level,
        "budget": budget,
        "seed": seed,
        "exhibits": exhibits,
        "targets": [str(target) for target in targets],
        "whole_budget": whole_budget,
    }
    if emitter is not None:
        search["emitter"] = {"name": emitter} if isinstance(emitter, str) else dict(emitter)
    settings: dict[str, Any] = {
        "search": {key: value for key, value in search.items() if value is not None},
    }
    if random_candidates is not None:
        settings["base_rate_candidates"] = random_candidates
    if bank is not None:
        settings["bank"] = os.fspath(bank)
    if sound:
        settings["composition"] = {"seconds": victim.seconds if seconds is None else seconds}
    if generator is None and emitter == "gradient-ascent":
        generator = "values"  # the gradient moves single values
    if generator is not None:
        named = {"generator": generator} if isinstance(generator, str) else dict(generator)
        settings["image"] = named
    return json.dumps(settings)


def _check_name(argument: str, value: object, known: tuple[str, ...]) -> None:
    if isinstance(value, str) and value not in known:
        raise ValueError(f"{argument}: '{value}' is not one of {', '.join(known)}")
