"""Made-up runs whose errors a function of the trial gives, for the tests of verdicts."""

from __future__ import annotations

from report.synthetic import complete, make_study, predictions

from irnet_ray.model.baselines import THE_TEN
from irnet_ray.study.run_directory import RunDirectory

SEEDS = [0, 1, 2]
BIG = {"dataset": "oqmd", "property": "formation_enthalpy", "train_size": 20_000}
NETWORKS = {"depth": [17, 48], "shortcut": ["none", "layer"], "width": 0.25, "recipe": "fast"}
THE_REST = {each.name(): {"kind": each.name()} for each in THE_TEN if each.name() != "random_forest"}
"""The paper's ten but for the forest, with which they make ten."""


def verdicts(findings):
    return [finding.verdict for finding in findings]


def made(tmp_path, error, **changes):
    """A run in which each trial has the MAE that a function of it gives; None leaves it unfinished."""
    run = RunDirectory(str(tmp_path / "run"))
    run.claim(make_study(**{"seeds": SEEDS, **changes}))
    for trial in run.study().trials():
        mae = error(trial)
        if mae is not None:
            complete(run, trial, predictions(mae * (1 + 0.005 * trial.seed), seed=0))
    return run
