"""A small run with made-up predictions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from report.synthetic import MAE, complete, make_study, predictions

from irnet_ray.study.run_directory import RunDirectory
from irnet_ray.study.spec import Study

MakeRun = Callable[..., RunDirectory]


@pytest.fixture
def make_run(tmp_path: Path) -> MakeRun:
    """Makes a run whose models have given test MAE; those that are not named are not finished."""

    def make(study: Study | None = None, mae: Mapping[str, float] = MAE) -> RunDirectory:
        study = study or make_study()
        run = RunDirectory(str(tmp_path / "run"))
        run.claim(study)
        for trial in study.trials():
            if trial.label in mae:
                complete(run, trial, predictions(mae[trial.label] * (1 + 0.01 * trial.seed), trial.seed))
        return run

    return make
