"""A search in words: what it will cost, and what it has found."""

from __future__ import annotations

import json
import os
import shlex
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from irnet_ray.report.tables import format_table
from irnet_ray.study.estimate import Estimate, makespan
from irnet_ray.study.progress import duration
from irnet_ray.study.run_directory import RunDirectory
from irnet_ray.study.search import best_sample
from irnet_ray.study.space import Values
from irnet_ray.study.spec import Study

DRAWS = 20
"""How many samples are drawn at random to estimate what one costs."""


def search_plan(study: Study, estimates: Sequence[Estimate], done: int) -> str:
    """The space, and what the samples will cost, roughly.

    Args:
        study: A study with a search.
        estimates: Of samples drawn at random.
        done: Number of samples that have ended.
    """
    search = study.search
    assert search is not None
    written = search.model_dump(mode="json")["space"]
    rows = [{"key": key, "values": json.dumps(each).strip("{}").replace('"', "")} for key, each in written.items()]
    cores = os.cpu_count() or 1
    left = max(0, search.samples - done)
    seconds = [each.seconds for each in estimates]
    typical = float(np.mean(seconds))
    all_left = [typical] * left
    early = "at most, as poor ones end early" if study.early_stopping else "roughly"
    return (
        f"{format_table(pd.DataFrame(rows), 'table')}\n\n"
        f"{search.algorithm} search: {search.samples} samples, {done} done; one takes about "
        f"{duration(typical)} of one core ({duration(min(seconds))} to {duration(max(seconds))} over {len(seconds)} "
        f"drawn at random); the others take {duration(sum(all_left))} of one core, "
        f"{duration(makespan(all_left, cores // study.trainer.cpus))} on the {cores} cores of this machine "
        f"({early}; training only, at its speed now)"
    )


def search_plan_json(study: Study, estimates: Sequence[Estimate], done: int) -> str:
    """The search and its estimated cost."""
    assert study.search is not None
    seconds = [each.seconds for each in estimates]
    plan = {
        "search": study.search.model_dump(mode="json"),
        "done": done,
        "estimated_seconds_a_sample": round(float(np.mean(seconds)), 1),
        "drawn_at_random": len(seconds),
    }
    return json.dumps(plan, indent=2)


def best_text(run: RunDirectory, study: Study, command: Sequence[str]) -> str:
    """The best sample, and how to run it as a study of its own; empty where no sample is finished.

    Args:
        run: Where the samples are.
        study: A study with a search.
        command: The arguments by which the study was read: its file, ``--profile`` and ``--set``.
    """
    best = best_sample(run, study)
    if best is None:
        return ""
    sample, error = best
    result = run.result(sample.trial.id)
    errors = f"validation MAE {error:.4f}, test MAE {result['test_mae']:.4f} {result['unit']}"
    lines = [f"best sample: {sample.trial.id}, {errors}".rstrip()]
    lines += [f"  {key}: {json.dumps(value)}" for key, value in sample.values.items()]
    settings = _settings(study, sample.values)
    arguments = [*command, *(each for key, value in settings.items() for each in ("--set", f"{key}={value}"))]
    return "\n".join([*lines, f"as a study: irnet-ray run {shlex.join(arguments)}"])


def _settings(study: Study, values: Values) -> Mapping[str, str]:
    """What makes the study one of this sample alone, in a directory of its own."""
    settings = {"name": f"{study.name}-best", "search": "null", "early_stopping": "null"}
    return settings | {key: json.dumps(value) for key, value in values.items()}
