"""The trials of benchmarks: some rows of a dataset, an IRNet, a recipe, a seed each."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Mapping
from typing import Any

from irnet_ray.study.spec import Study


def add_trial_options(parser: argparse.ArgumentParser) -> None:
    """Adds what all trials of a benchmark share."""
    parser.add_argument("--dataset", default="oqmd", help="%(default)s; ricci_transport needs no download")
    parser.add_argument("--property", default="formation_enthalpy", help="%(default)s")
    parser.add_argument("--rows", type=int, default=20_000, help="training rows (%(default)s)")
    parser.add_argument("--depth", type=int, default=17, help="layers (%(default)s)")
    parser.add_argument("--width", type=float, default=0.25, help="factor on the units (%(default)s)")


def study_of(
    options: argparse.Namespace,
    recipe: str | Mapping[str, Any],
    seeds: Iterable[int] = (0,),
    trainer: Mapping[str, Any] | None = None,
) -> Study:
    """A study of one trial for each seed."""
    network = {"depth": options.depth, "shortcut": "layer", "width": options.width, "recipe": recipe}
    return Study.model_validate(
        {
            "name": "benchmark",
            "data": {"dataset": options.dataset, "property": options.property, "train_size": options.rows},
            "models": {"network": network},
            "seeds": list(seeds),
            "trainer": trainer or {},
        }
    )
