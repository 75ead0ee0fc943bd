"""A small run with made-up predictions, so that every number in its report is known."""

from __future__ import annotations

import numpy as np
import pandas as pd

from irnet_ray.model.history import Epoch
from irnet_ray.model.metrics import evaluate
from irnet_ray.report.claims import Judged
from irnet_ray.report.comparison import compare
from irnet_ray.report.evidence import read_evidence
from irnet_ray.report.inventory import take_inventory
from irnet_ray.study.result import make_result
from irnet_ray.study.run_directory import RunDirectory
from irnet_ray.study.spec import Study, Trainer
from irnet_ray.study.trial import NetworkModel, Trial

TEST_ROWS = 400
MAE = {
    "plain-17": 0.09,
    "plain-48": 0.18,
    "srnet-17": 0.08,
    "srnet-48": 0.11,
    "irnet-17": 0.08,
    "irnet-48": 0.076,
    "random_forest": 0.105,
}
"""Test MAE of each model of the study, in eV/atom."""


def make_study(**changes: object) -> Study:
    """The paper's grid on OQMD, with keys of the study changed."""
    return Study.model_validate(
        {
            "name": "depth",
            "description": "Does depth help?",
            "data": {"dataset": "oqmd", "property": "formation_enthalpy", "train_size": 1000},
            "models": {
                "networks": {
                    "depth": [17, 48],
                    "shortcut": ["none", "stack", "layer"],
                    "width": 0.25,
                    "recipe": "fast",
                },
                "forest": {"kind": "random_forest"},
            },
            **changes,
        }
    )


def predictions(mae: float, seed: int, rows: int = TEST_ROWS) -> pd.DataFrame:
    """Test predictions whose absolute errors have exactly this mean (eV/atom) and vary from row to row."""
    target = np.linspace(-3.0, 1.0, rows)
    generator = np.random.default_rng(seed)
    errors = generator.exponential(size=rows)
    signs = generator.choice([-1.0, 1.0], size=rows)
    frame = pd.DataFrame({"part": "test", "formula": "NaCl", "target": target})
    return frame.assign(prediction=target + signs * errors * mae / errors.mean())


def histories(mae: float) -> list[Epoch]:
    """Ten epochs that fall to the given validation MAE in the ninth."""
    values = [mae * factor for factor in (20.0, 9.0, 5.0, 3.0, 2.0, 1.6, 1.3, 1.1, 1.0, 1.01)]
    return [Epoch(n, 100 * n, 1e-3, value, value, float(n)) for n, value in enumerate(values, start=1)]


def complete(run: RunDirectory, trial: Trial, table: pd.DataFrame, **provenance: str) -> None:
    """Records a trial as finished with these test predictions, and with what else is given of how it came about."""
    metrics = evaluate(table["target"], table["prediction"])
    is_network = isinstance(trial.model, NetworkModel)
    result = make_result(
        trial,
        Trainer(),
        unit="eV/atom",
        rows=(trial.train_size or 9000, 100, len(table)),
        validation=metrics,
        test=metrics,
        epochs=10 if is_network else None,
        best_epoch=9 if is_network else None,
        train_seconds=60.0,
        predict_seconds=0.1,
    )
    result["provenance"] |= provenance
    run.begin(trial, Trainer())
    run.complete(trial.id, result, table, histories(metrics.mae) if is_network else None)


def judged_of(run: RunDirectory) -> list[Judged]:
    """A run's comparisons with their errors, as a report has them."""
    study = run.study()
    inventory = take_inventory(run, study.trials())
    return [
        Judged(each, read_evidence(inventory.records, each), study.split.validation_is_test)
        for each in compare(inventory.trials, inventory.results)
    ]
