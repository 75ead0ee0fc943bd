"""How long the report of a run takes, how large its page is and how smoothly it scrolls, by the number of trials.

    python benchmarks/report_page.py                       # 100, 300 and 1,000 trials
    python benchmarks/report_page.py --trials 1000 --keep FOLDER   # and leave the runs there, to look at their pages

The runs have made-up predictions of as many test rows as a table of 100,000 has. Scrolling is measured where there is
a Chromium with its driver; a screen that shows 60 pictures a second has 17 ms for each.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
from running import Record, in_fresh_process, parser_of
from scrolling import times_of_frames
from section import Section

from irnet_ray.model.history import Epoch
from irnet_ray.model.metrics import evaluate
from irnet_ray.report.page import build_report
from irnet_ray.study.result import make_result
from irnet_ray.study.run_directory import RunDirectory
from irnet_ray.study.spec import Study, Trainer
from irnet_ray.study.trial import NetworkModel, Trial

_TEST_ROWS = 10_000
_EPOCHS = 60
_DATA = [
    ("oqmd", "formation_enthalpy"),
    ("oqmd", "band_gap"),
    ("mp_formation_energy", "formation_energy"),
    ("mp_magnetization", "magnetization"),
    ("aflow_energy", "energy_per_atom"),
    ("aflow_band_gap", "band_gap"),
]
_SIZES = [1000, 3000, 10_000, 30_000]
_MAE = {"none": 0.12, "stack": 0.1, "layer": 0.09}


def make_study(trials: int) -> Study:
    """A study of so many trials or a few more: six properties, with as many sizes and baselines as it takes."""
    seeds = 3
    sizes = _SIZES if trials >= 600 else _SIZES[:1]
    a_size = -(-trials // (len(_DATA) * len(sizes) * seeds))
    networks = {"shortcut": ["none", "stack", "layer"], "width": 0.25, "recipe": {"base": "fast", "epochs": _EPOCHS}}
    depths = [10, 17, 24, 48][: max(1, min(4, (a_size - 1) // 3))]
    forests = list(range(10, 10 + max(1, a_size - 3 * len(depths))))
    return Study.model_validate(
        {
            "name": "report",
            "data": [{"dataset": name, "property": key, "train_size": sizes} for name, key in _DATA],
            "models": {
                "networks": {"depth": depths, **networks},
                "forests": {"kind": "random_forest", "trees": forests},
            },
            "seeds": list(range(seeds)),
        }
    )


def fill(run: RunDirectory, study: Study) -> int:
    """Records every trial of a study as finished, and gives their number."""
    run.claim(study)
    target = np.random.default_rng(0).normal(-0.5, 1.0, _TEST_ROWS).round(4)
    trials = study.trials()
    for number, trial in enumerate(trials):
        _complete(run, trial, target, number)
    return len(trials)


def _complete(run: RunDirectory, trial: Trial, target: np.ndarray, number: int) -> None:
    generator = np.random.default_rng(number)
    architecture = trial.architecture
    mae = _MAE[architecture.shortcut] if architecture else 0.13
    mae *= ((trial.train_size or 1000) / 1000) ** -0.3 * generator.uniform(0.97, 1.03)
    prediction = target + generator.laplace(0, mae, _TEST_ROWS)
    metrics = evaluate(target, prediction)
    epochs = _EPOCHS if isinstance(trial.model, NetworkModel) else None
    result = make_result(
        trial,
        Trainer(),
        unit="eV/atom",
        rows=(trial.train_size or 1000, 0, _TEST_ROWS),
        validation=metrics,
        test=metrics,
        epochs=epochs,
        best_epoch=epochs,
        train_seconds=60.0,
        predict_seconds=0.1,
    )
    errors = mae * (1 + 5 * np.exp(-np.arange(_EPOCHS) / 10)) * generator.uniform(0.98, 1.02, _EPOCHS)
    history = [Epoch(n + 1, 40 * n, 1e-3, error, error, float(n)) for n, error in enumerate(errors)]
    predictions = {"part": "test", "formula": "NaCl", "target": target, "prediction": prediction}
    run.begin(trial, Trainer())
    run.complete(trial.id, result, pd.DataFrame(predictions), history if epochs else None)


def measure(trials: int, folder: str) -> dict[str, object]:
    """Makes a run and its report."""
    run = RunDirectory(f"{folder}/report-{trials}")
    made = fill(run, make_study(trials))
    started = time.perf_counter()
    page = Path(build_report(run))
    seconds = time.perf_counter() - started
    frames = times_of_frames(page)
    return {
        "trials": made,
        "seconds": seconds,
        "page (MB)": page.stat().st_size / 1e6,
        "median frame (ms)": np.median(frames) if frames else np.nan,
        "99% of frames within (ms)": np.quantile(frames, 0.99) if frames else np.nan,
    }


def section(measured: pd.DataFrame) -> Section:
    """Time, size and scrolling."""
    return Section("A report and its page", measured)


def main() -> None:
    """Measures and prints."""
    parser = parser_of(__doc__)
    parser.add_argument("--trials", type=int, nargs="+", default=[100, 300, 1000])
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="leave the runs there")
    options = parser.parse_args()
    record = Record(options.output, "matplotlib", "pandas")
    with tempfile.TemporaryDirectory() as folder:
        measured = pd.DataFrame(
            [in_fresh_process(measure, trials, str(options.keep or folder)) for trials in options.trials]
        )
    record.write(measured)
    print(section(measured))


if __name__ == "__main__":
    main()
