"""How fast our loop trains beside others: `python benchmarks/train_step.py`.

Rows a second of one thread, for each depth and batch size: `fit` of this package, a bare loop of torch written for
speed, Lightning with a `DataLoader` (torch's ordinary one, and one that indexes a whole batch at once), skorch, and the
loop of Ray's tutorials over Ray Data's batches. Network, optimizer, schedule, rows and number of epochs are the same
for all; see `contestants.py`. Every training lasts so many epochs that those after the first take the bare loop
`--seconds`; only those are counted. In a repetition all run one after the other in one fresh process, in an order that
changes, and each is compared with the bare loop of that repetition. `fit` validates each epoch on two rows, the others
not at all.

"fetch" is the part of the bare loop's time that it takes to gather a batch from the rows in memory. On a machine that
does other work, too, ratios by processor time are steadier; Ray Data also uses processes and cores that they leave out.

Lightning and skorch come with `pip install 'irnet-ray[benchmarks]'`; `--programs` leaves out what is not at hand.
In a minute: `--depths 17 --batch-sizes 256 --rows 4096 --seconds 1 --repetitions 1`.
"""

from __future__ import annotations

import argparse
import itertools
import logging
import math
from dataclasses import replace

import pandas as pd
from contestants import CONTESTANTS, Task, train_bare
from running import in_fresh_process, parser_of, print_conditions, tell, write
from section import Section

from irnet_ray.study.execute import configure_process
from irnet_ray.study.spec import Trainer

PACKAGES = ("torch", "lightning", "skorch", "ray")
STEPS_TO_CALIBRATE = 30


def measure(task: Task, names: list[str], seconds: float) -> list[dict[str, object]]:
    """Lets all contestants do a task, one after the other.

    Args:
        task: Its number of epochs does not matter.
        names: Of the contestants, in their order.
        seconds: Of the bare loop in the epochs that count.

    Returns:
        For each contestant its rows a second of either clock, and the part of its time that it fetched batches.
    """
    logging.disable(logging.WARNING)
    configure_process(Trainer())
    task = replace(task, epochs=1 + math.ceil(seconds / (task.steps * seconds_a_step(task))))
    measured = []
    for name in names:
        configure_process(Trainer())
        timing = CONTESTANTS[name](task)
        measured.append(
            {
                "depth": task.depth,
                "batch": task.batch_size,
                "program": name,
                "epochs": task.epochs,
                "rows/s": task.rows / timing.an_epoch.wall,
                "rows/processor s": task.rows / timing.an_epoch.processor,
                "fetch": timing.fetching / (task.epochs * timing.an_epoch.wall),
            }
        )
    return measured


def seconds_a_step(task: Task) -> float:
    """What a step takes the bare loop, roughly (s)."""
    short = replace(task, rows=STEPS_TO_CALIBRATE * task.batch_size, epochs=2)
    return train_bare(short).an_epoch.wall / short.steps


def with_ratios(measured: pd.DataFrame) -> pd.DataFrame:
    """Compares each training with the bare loop of its repetition."""
    training = measured.set_index(["depth", "batch", "repetition", "program"])
    bare = training.xs("bare", level="program")
    speeds = training[["rows/s", "rows/processor s"]]
    ratios = speeds.div(bare[speeds.columns]).rename(columns={"rows/s": "ratio", "rows/processor s": "processor ratio"})
    return training.join(ratios).reset_index()


def speed_section(measured: pd.DataFrame) -> Section:
    """Medians over the repetitions."""
    columns = {
        "rows/s": ("rows/s", "median"),
        "of bare": ("ratio", "median"),
        "lowest": ("ratio", "min"),
        "highest": ("ratio", "max"),
        "of bare by processor time": ("processor ratio", "median"),
    }
    measured = measured.assign(program=pd.Categorical(measured["program"], list(CONTESTANTS)))
    table = measured.groupby(["depth", "batch", "program"], observed=True).agg(**columns).reset_index()
    return Section("Training: rows a second, and as a part of the bare loop's of the same repetition", table)


def fetch_section(measured: pd.DataFrame) -> Section:
    """What batches cost."""
    bare = measured[measured["program"] == "bare"]
    table = (100 * bare.groupby(["depth", "batch"])["fetch"].median()).rename("fetch (% of a step)").reset_index()
    return Section("Fetching a batch of inputs and targets from the rows in memory", table)


def run(options: argparse.Namespace) -> pd.DataFrame:
    """All repetitions of all tasks."""
    measured = []
    names = ["bare", *(name for name in options.programs if name != "bare")]
    for repetition, depth, batch in itertools.product(range(options.repetitions), options.depths, options.batch_sizes):
        rows = options.rows // batch * batch
        task = Task(depth, options.width, options.attributes, rows, batch, 2, options.shuffle_buffer)
        turned = names[repetition % len(names) :] + names[: repetition % len(names)]
        tell(f"repetition {repetition + 1} of {options.repetitions}: {depth} layers, batch {batch}")
        measured += [
            {"repetition": repetition, **each} for each in in_fresh_process(measure, task, turned, options.seconds)
        ]
    return with_ratios(pd.DataFrame(measured))


def main() -> None:
    """Measures and prints."""
    parser = parser_of(__doc__)
    parser.add_argument("--programs", nargs="+", choices=CONTESTANTS, default=list(CONTESTANTS), metavar="NAME")
    parser.add_argument("--depths", type=int, nargs="+", default=[17, 48])
    parser.add_argument("--batch-sizes", type=int, nargs="+", default=[32, 256])
    parser.add_argument("--width", type=float, default=0.25)
    parser.add_argument("--attributes", type=int, default=145)
    parser.add_argument("--rows", type=int, default=20_000, help="cut to whole batches (%(default)s)")
    parser.add_argument("--seconds", type=float, default=5, help="of a training at the least (%(default)s)")
    parser.add_argument("--repetitions", type=int, default=5)
    parser.add_argument("--shuffle-buffer", type=int, default=2048, help="rows, of Ray Data (%(default)s)")
    options = parser.parse_args()
    print_conditions(*PACKAGES)
    measured = run(options)
    write(measured, options.output)
    print(speed_section(measured), fetch_section(measured), sep="\n\n")


if __name__ == "__main__":
    main()
