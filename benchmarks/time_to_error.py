"""What it costs to reach an error with the recipes `paper` and `fast`: `python benchmarks/time_to_error.py`.

Trains a 17-layer IRNet of a quarter of the width on 20,000 rows of OQMD, one core. `paper`, with a constant learning
rate, has reached an error in the first epoch whose validation MAE is at most that. The error of `fast`, with its
one-cycle schedule, falls at the end, so only whole trainings count, of as many epochs as are asked for: one has reached
the error if its last validation MAE is at most that, and it costs the seconds of all its epochs. Without `--error` the
aim is where `paper` stands, its lowest validation MAE within `--paper-epochs`. Seconds are those of training and of the
validation after each epoch, by the wall's clock, in one thread. Test rows are not looked at. `--output` writes the
curves.

In a minute: `--rows 2000 --paper-epochs 15 --epochs 3 5`.
"""

from __future__ import annotations

import argparse
import itertools
from dataclasses import asdict
from typing import Any

import pandas as pd
from running import Record, parser_of, tell
from section import Section
from trials import add_trial_options, study_of

from irnet_ray.model.architecture import Architecture
from irnet_ray.model.fit import fit
from irnet_ray.model.rows import Rows
from irnet_ray.study.execute import configure_process
from irnet_ray.study.featurize import compute_here
from irnet_ray.study.prepare import prepare
from irnet_ray.study.spec import Trainer


def read_rows(options: argparse.Namespace) -> tuple[Rows, Rows]:
    """Training and validation rows."""
    (trial,) = study_of(options, "fast").trials()
    (data,) = prepare([trial], compute_here).values()
    split = data.split.subset(trial.train_size)
    return data.rows.take(split.train), data.rows.take(split.validation)


def curve(options: argparse.Namespace, rows: tuple[Rows, Rows], recipe: dict[str, Any], seed: int) -> pd.DataFrame:
    """Trains once; a row for each epoch."""
    tell(f"seed {seed}: {recipe['base']}, {recipe['epochs']} epochs")
    (trial,) = study_of(options, recipe, [seed]).trials()
    fitted = fit(Architecture.parse(trial.model.architecture), trial.model.recipe, *rows, seed=seed)
    history = pd.DataFrame([asdict(epoch) for epoch in fitted.history])
    return history.assign(seed=seed, recipe=recipe["base"], epochs=recipe["epochs"])


def summarize(curves: pd.DataFrame, error: float | None = None) -> pd.DataFrame:
    """One row for each training: where it stands, and what reaching the aim of its seed cost (s).

    Args:
        curves: A row for each epoch of each training.
        error: The aim; else the lowest of ``paper``.
    """
    stands = curves[curves["recipe"] == "paper"].groupby("seed")["val_mae"].min()
    table = []
    for (seed, _, _), each in curves.groupby(["seed", "recipe", "epochs"], sort=False):
        first, last = each.iloc[0], each.iloc[-1]
        aim = error or float(stands[seed])
        lowest = each.loc[each["val_mae"].idxmin()]
        eligible = each if first["recipe"] == "paper" else each.tail(1)
        table.append(
            {
                "seed": seed,
                "recipe": first["recipe"],
                "epochs": len(each),
                "all (s)": last["seconds"],
                "last MAE": last["val_mae"],
                "lowest MAE": lowest["val_mae"],
                "in epoch": lowest["epoch"],
                "aim": aim,
                "reached in (s)": eligible[eligible["val_mae"] <= aim]["seconds"].min(),
            }
        )
    return pd.DataFrame(table)


def with_ratios(table: pd.DataFrame) -> pd.DataFrame:
    """Adds what each cost in parts of what ``paper`` of the same seed did."""
    paper = table[table["recipe"] == "paper"].set_index("seed")["reached in (s)"]
    return table.assign(**{"of paper": table["reached in (s)"] / table["seed"].map(paper)})


def section(curves: pd.DataFrame, error: float | None = None) -> Section:
    """Where each training stands and what it cost."""
    table = with_ratios(summarize(curves, error))
    return Section("Validation MAE, and seconds until it is the aim", table, smallest(table))


def smallest(table: pd.DataFrame) -> str:
    """Says for each seed which training of ``fast`` was the shortest to get there."""
    lines = []
    for seed, rows in table.groupby("seed"):
        there = rows[(rows["recipe"] == "fast") & rows["reached in (s)"].notna()].sort_values("epochs")
        if there.empty:
            lines.append(f"seed {seed}: no training of fast reaches {rows['aim'].iloc[0]:.4f}")
            continue
        best = there.iloc[0]
        lines.append(
            f"seed {seed}: fast reaches {best['aim']:.4f} with {best['epochs']} epochs "
            f"in {best['reached in (s)']:.1f} s, {best['of paper']:.3f} of what paper takes"
        )
    return "\n".join(lines)


def main() -> None:
    """Measures and prints."""
    parser = parser_of(__doc__)
    add_trial_options(parser)
    parser.add_argument("--paper-epochs", type=int, default=150, help="at most (%(default)s)")
    parser.add_argument("--epochs", type=int, nargs="+", default=[5, 8, 12, 20, 30], help="of trainings with fast")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--error", type=float, help="validation MAE to reach, in the property's unit")
    options = parser.parse_args()
    record = Record(options.output, "torch")
    rows = read_rows(options)
    configure_process(Trainer())
    recipes = [("paper", options.paper_epochs), *(("fast", epochs) for epochs in options.epochs)]
    curves = []
    for seed, (base, epochs) in itertools.product(options.seeds, recipes):
        curves.append(curve(options, rows, {"base": base, "epochs": epochs}, seed))
        record.write(pd.concat(curves, ignore_index=True))
    print(section(pd.concat(curves, ignore_index=True), options.error))


if __name__ == "__main__":
    main()
