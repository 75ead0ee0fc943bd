"""A study's plan in words: its grid, its parameters, its cost."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from typing import Literal

import pandas as pd

from irnet_ray.report.search_text import DRAWS, search_plan, search_plan_json
from irnet_ray.report.tables import format_table
from irnet_ray.study.estimate import Estimate, estimate_study, makespan, split_sizes
from irnet_ray.study.progress import duration
from irnet_ray.study.run_directory import RunDirectory
from irnet_ray.study.run_trials import ended_in, trials_of
from irnet_ray.study.search import draw_at_random
from irnet_ray.study.spec import Study
from irnet_ray.study.trial import NetworkModel

_COLUMNS = ["trial_id", "dataset", "property", "model", "depth", "width", "train_size", "seed", "recipe", "settings"]


def plan_text(study: Study, run: RunDirectory, style: Literal["table", "json"]) -> str:
    """What a study's trials are and what they will cost on this machine, or the samples of its search.

    Args:
        study: The study.
        run: Its directory, which need not exist.
        style: Table or JSON.

    Raises:
        ConfigurationError: More training rows are asked than there are.
    """
    ended = ended_in(run, study)
    if study.search is not None:
        split_sizes(study.trials_of_all_data())
        drawn = draw_at_random(study, min(DRAWS, study.search.samples))
        estimates = estimate_study(drawn, study.trainer.limits)
        done = sum(trial.id in ended for trial in trials_of(run, study))
        return (search_plan_json if style == "json" else search_plan)(study, estimates, done)
    estimates = estimate_study(study.trials(), study.trainer.limits)
    return plan_json(estimates) if style == "json" else plan_table(study, estimates, ended)


def plan_table(study: Study, estimates: Sequence[Estimate], ended: set[str]) -> str:
    """One line a trial, and what all of them will cost.

    Args:
        study: The study.
        estimates: Of its trials.
        ended: Ids of the trials that are not trained again.
    """
    rows = []
    for estimate in estimates:
        described = estimate.trial.describe()
        rows.append(
            {
                **{column: described[column] for column in _COLUMNS},
                "n_parameters": described["n_parameters"],
                "time": duration(estimate.seconds),
                "state": "done" if estimate.trial.id in ended else "to do",
            }
        )
    table = pd.DataFrame(rows).astype({"depth": "Int64", "n_parameters": "Int64"})
    return f"{format_table(table, 'table')}\n\n{_summary(study, estimates, ended)}"


def _summary(study: Study, estimates: Sequence[Estimate], ended: set[str]) -> str:
    left = [estimate for estimate in estimates if estimate.trial.id not in ended]
    cores = os.cpu_count() or 1
    seconds = [estimate.seconds for estimate in left]
    memory = max((estimate.matrix_bytes for estimate in left), default=0) / 2**20
    patient = any(isinstance(each.trial.model, NetworkModel) and each.trial.model.recipe.patience for each in left)
    bound = ", at most, as patience ends trainings earlier" if patient else ""
    return (
        f"{len(estimates)} trials, {len(estimates) - len(left)} done; the others take about "
        f"{duration(sum(seconds))} of one core, {duration(makespan(seconds, cores // study.trainer.cpus))} "
        f"on the {cores} cores of this machine (training only, at its speed now{bound}); "
        f"largest matrix {memory:.0f} MiB"
    )


def plan_json(estimates: Sequence[Estimate]) -> str:
    """A list of trials, each as a flat row with its full configuration and its estimate."""
    trials = [
        {
            **estimate.trial.describe(),
            "rows": dict(zip(("train", "validation", "test"), estimate.rows, strict=True)),
            "estimated_seconds": round(estimate.seconds, 1),
            "configuration": estimate.trial.model_dump(mode="json"),
        }
        for estimate in estimates
    ]
    return json.dumps(trials, indent=2)
