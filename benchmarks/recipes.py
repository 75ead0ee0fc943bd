"""What each part of a recipe is worth: `python benchmarks/recipes.py studies/best.yaml --change KEY=VALUE ...`.

Trains the networks of a study as the file has them, and once more for every `--change KEY=VALUE[;KEY=VALUE...]` of it,
on the training part alone, and prints their validation errors and times. The test part is not looked at, so that
whatever is chosen by this table is not chosen by it. `--set` changes all trainings, for example to fewer epochs. Each
result is written to `--output` as it comes, and what stands there is not trained again on the same hardware. One
thread each; `--processes` trains so many at a time.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from running import Record, parser_of, tell
from section import Section

from irnet_ray.model.architecture import Architecture
from irnet_ray.model.fit import fit
from irnet_ray.study.execute import configure_process, hardware_of
from irnet_ray.study.featurize import compute_here
from irnet_ray.study.prepare import prepare
from irnet_ray.study.read import read_study
from irnet_ray.study.result import provenance
from irnet_ray.study.spec import Study
from irnet_ray.study.trial import NetworkModel, Trial


def train(change: str, study: Study, trial: Trial) -> dict[str, Any]:
    """Trains one network; gives its row of the table."""
    configure_process(study.trainer)
    (data,) = prepare([trial], compute_here).values()
    split = data.split.subset(trial.train_size)
    assert isinstance(trial.model, NetworkModel)
    fitted = fit(
        Architecture.parse(trial.model.architecture),
        trial.model.recipe,
        data.rows.select(split.train),
        data.rows.select(split.validation),
        seed=trial.seed,
        hardware=hardware_of(study.trainer),
    )
    last = fitted.history[-1]
    return {
        "where": where(study),
        "change": change or "none",
        "dataset": trial.matrix.dataset,
        "representation": trial.matrix.representation,
        "rows": len(split.train),
        "model": trial.label,
        "width": trial.model.width,
        "recipe": trial.model.recipe.label,
        "seed": trial.seed,
        "trial": trial.id,
        "val_mae": min(epoch.val_mae for epoch in fitted.history),
        "last_val_mae": last.val_mae,
        "train_mae": last.train_mae,
        "seconds": fitted.seconds,
    }


def where(study: Study) -> str:
    """On what a study's networks are trained, as far as it matters for their errors and times."""
    facts = provenance(study.trainer)
    return ", ".join([facts["gpu"] or facts["processor"], *(["bfloat16"] if study.trainer.bfloat16 else [])])


def planned(path: Path, profile: str | None, settings: Sequence[str], changes: Sequence[str]) -> list[tuple[Any, ...]]:
    """The trainings: what is changed, the study with the change, and the trial."""
    tasks = []
    for change in ["", *changes]:
        study = read_study(path, profile, [*settings, *filter(None, change.split(";"))])
        tasks += [(change, study, trial) for trial in study.trials() if isinstance(trial.model, NetworkModel)]
    return tasks


def done(output: Path | None, tasks: Sequence[tuple[Any, ...]]) -> pd.DataFrame:
    """What was measured before of these trainings, under the names that their changes have now."""
    if not (output and output.exists()):
        return pd.DataFrame({"trial": [], "where": []})
    changes = {(trial.id, where(study)): change or "none" for change, study, trial in reversed(tasks)}
    measured = pd.read_csv(output)
    measured["change"] = [changes.get(each) for each in zip(measured["trial"], measured["where"], strict=True)]
    others = int(measured["change"].isna().sum())
    if others:
        tell(f"{others} rows of {output} are of other trainings, and left out")
    return measured.dropna(subset=["change"])


def section(measured: pd.DataFrame) -> Section:
    """Means over the seeds, the lowest error first, beside the same network's without a change."""
    keys = ["dataset", "model", "change"]
    groups = measured.assign(change=measured["change"].map(_short)).groupby(keys, sort=False)
    table = groups[["val_mae", "train_mae", "seconds"]].mean().assign(seeds=groups["seed"].nunique()).reset_index()
    unchanged = table[table["change"] == "none"].drop_duplicates("dataset").set_index("dataset")
    own = table[table["change"] == "none"].set_index(["dataset", "model"])
    for column in ("val_mae", "seconds"):
        beside = own[column].reindex(pd.MultiIndex.from_frame(table[["dataset", "model"]])).to_numpy()
        table[f"{column} / none"] = table[column] / np.where(
            np.isnan(beside), table["dataset"].map(unchanged[column]), beside
        )
    order = ["model", "change", "val_mae", "val_mae / none", "train_mae", "seconds", "seconds / none", "seeds"]
    titles = {"val_mae": "validation MAE", "val_mae / none": "of none", "train_mae": "training MAE"}
    table = table.sort_values(["dataset", "model", "val_mae"])[["dataset", *order]].rename(columns=titles)
    return Section("Means over the seeds; times are those of training and validation", table)


def _short(change: str) -> str:
    """A change without what all of them begin with: ``learning_rate=5e-3``."""
    parts = change.split(";")
    return ", ".join(part.removeprefix("models.networks.").removeprefix("recipe.") for part in parts)


def main() -> None:
    """Measures and prints."""
    parser = parser_of(__doc__)
    parser.add_argument("study", type=Path)
    parser.add_argument("--profile")
    parser.add_argument("--set", action="append", default=[], dest="settings", metavar="KEY=VALUE")
    parser.add_argument("--change", action="append", default=[], dest="changes", metavar="KEY=VALUE[;KEY=VALUE...]")
    parser.add_argument("--processes", type=int, default=1)
    options = parser.parse_args()
    record = Record(options.output, "torch")
    tasks = planned(options.study, options.profile, options.settings, options.changes)
    measured = done(options.output, tasks)
    known = set(zip(measured["trial"], measured["where"], strict=True))
    missing = [task for task in tasks if (task[2].id, where(task[1])) not in known]
    prepare([trial for _, _, trial in missing], compute_here)  # fills the feature cache
    with ProcessPoolExecutor(options.processes, mp_context=get_context("spawn"), max_tasks_per_child=1) as pool:
        running = [pool.submit(train, *task) for task in missing]
        for number, future in zip(itertools.count(1), as_completed(running)):
            row = future.result()
            measured = pd.concat([measured, pd.DataFrame([row])], ignore_index=True)
            tell(f"{number}/{len(missing)}  {row['change']}  seed {row['seed']}  {row['val_mae']:.5f}")
            record.write(measured)
    record.write(measured)
    print(section(measured))


if __name__ == "__main__":
    main()
