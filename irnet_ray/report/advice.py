"""With so many rows, how deep should I go, and what would twice the data buy me?"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, variance

import numpy as np
import pandas as pd

from irnet_ray.errors import RunError
from irnet_ray.report.comparison import Comparison, compare, describe_points
from irnet_ray.report.depth_choice import Errors, is_lower
from irnet_ray.report.inventory import take_inventory
from irnet_ray.report.learning_curve import SIZES_FOR_A_FLOOR, LearningCurve, fit_learning_curve
from irnet_ray.report.series import FEWEST_SIZES, left_out, series_of, series_words
from irnet_ray.report.tables import format_table
from irnet_ray.report.wording import distinct, listing, number, with_unit
from irnet_ray.study.run_directory import RunDirectory
from irnet_ray.study.run_trials import trials_of_run

_MODEL = "irnet"
_DEVIATION_OF_SEEDS = 0.02  # of an error, where there is one seed each; docs/recipes.md has one to two percent
_LEAST_DEVIATION = 0.005
_NOTHING = 1e-6  # a floor below this part of the error is rounding
_WORTH_NAMING = 0.01  # a floor below this part of the error is none


@dataclass(frozen=True)
class Series:
    """IRNets of several depths on growing parts of the same data.

    Attributes:
        dataset: What was learnt from.
        data: Dataset, property and representation, for people.
        unit: Of the errors.
        curves: By depth.
        errors: What they were fitted to, by depth.
        unfinished: IRNets without a result that would belong to it, in words.
    """

    dataset: str
    data: str
    unit: str
    curves: Mapping[int, LearningCurve]
    errors: Mapping[int, Errors]
    unfinished: tuple[str, ...] = ()

    def best_depth(self, rows: float) -> int:
        """The shallowest depth that no deeper one beats by more than the measurements leave open."""
        for depth in sorted(self.errors):
            deeper = [each for each in self.errors if each > depth]
            if not any(is_lower(self.errors[each], self.errors[depth], rows) for each in deeper):
                return depth
        raise AssertionError("the deepest is beaten by none")


def fit_series(comparisons: Sequence[Comparison]) -> list[Series]:
    """Fits the error against the training rows for each depth that has three sizes.

    Errors vary with the seeds and lie beside the law; that the test rows are a sample is the same for all, and left
    out.
    """
    found = []
    for members in series_of(comparisons, lambda comparison: comparison):
        depths = distinct(point.depth or 0 for each in members for point in each.planned(_MODEL))
        errors = {depth: each for depth in depths if len(each := _errors(members, depth)) >= FEWEST_SIZES}
        if errors:
            first, curves = members[0], {depth: _curve(each, depth) for depth, each in errors.items()}
            unfinished = _unfinished([*members, *left_out(members, comparisons)])
            found.append(Series(first.task.dataset, series_words(first), first.unit, curves, errors, unfinished))
    return found


def _unfinished(comparisons: Sequence[Comparison]) -> tuple[str, ...]:
    lacking = ((each, [trial for trial in each.missing if trial.model_name == _MODEL]) for each in comparisons)
    return tuple(
        f"{listing(describe_points(trials))} with {each.task.words()['train_size']}"
        for each, trials in lacking
        if trials
    )


def _errors(comparisons: Sequence[Comparison], depth: int) -> Errors:
    """What one depth came to; a size where an error is zero has no logarithm, and is left out."""
    found = {}
    for comparison in comparisons:
        results = comparison.results
        chosen = results[(results["model"] == _MODEL) & (results["depth"] == depth)]
        errors = {int(seed): float(error) for seed, error in chosen[["seed", "test_mae"]].to_numpy()}
        if errors and all(errors.values()):
            found[comparison.train_rows or 0] = errors
    return found


def _curve(errors: Errors, depth: int) -> LearningCurve:
    """The fit of one depth; the deviation over seeds is pooled over the numbers of rows."""
    groups = [list(each.values()) for each in errors.values()]
    squares = [(len(each) - 1) * variance(map(math.log, each)) for each in groups if len(each) > 1]
    degrees = sum(len(each) - 1 for each in groups)
    pooled = math.sqrt(sum(squares) / degrees) if degrees else _DEVIATION_OF_SEEDS
    deviations = [max(pooled, _LEAST_DEVIATION) / math.sqrt(len(each)) for each in groups]
    return fit_learning_curve(list(errors), [fmean(each) for each in groups], deviations, seed=depth)


def advise(run: RunDirectory, rows: int) -> str:
    """Says how deep to go with so many training rows, by a run over several numbers of them.

    Raises:
        RunError: The run has too few sizes.
    """
    study = run.study()
    if study.search is not None:
        raise RunError(f"'{run.uri}': is a search; advice takes a grid over numbers of training rows")
    inventory = take_inventory(run, trials_of_run(run))
    found = fit_series(compare(inventory.trials, inventory.results))
    if not found:
        raise RunError(
            f"'{run.uri}': advice takes finished IRNets on {FEWEST_SIZES} numbers of training rows of the same data; "
            "let data.train_size be a list of them"
        )
    optimistic = study.split.validation_is_test
    return "\n\n".join(advice_text(series, rows, optimistic=optimistic) for series in found)


def advice_table(series: Series) -> pd.DataFrame:
    """The advice for each of some numbers of training rows, from the fewest that were tried to beyond the most.

    Returns:
        Columns ``train_rows``, ``layers``, ``expected_test_mae`` (in the unit of ``series``), its ``interval``, the
        change that ``twice_the_data`` would bring, and ``reach``: whether it lies beyond what was tried.
    """
    smallest = min(curve.smallest for curve in series.curves.values())
    largest = max(curve.largest for curve in series.curves.values())
    decades = range(math.floor(math.log10(smallest)), math.ceil(math.log10(largest)) + 1)
    sizes = [factor * 10**decade for decade in decades for factor in (1, 3)]
    shown = [size for size in sizes if smallest <= size <= 4 * largest]
    return pd.DataFrame([_advice_row(series, size, largest) for size in shown])


def _advice_row(series: Series, rows: int, largest: int) -> dict[str, object]:
    depth = series.best_depth(rows)
    curve = series.curves[depth]
    error, low, high = curve.at(rows)
    gain, least, most = _gain(curve, rows)
    return {
        "train_rows": rows,
        "layers": depth,
        "unit": series.unit,
        "expected_test_mae": error,
        "interval": f"{number(low)} to {number(high)}",
        "twice_the_data": f"{round(-100 * gain)}% ({round(-100 * most)} to {round(-100 * least)})",
        "reach": "" if rows <= largest else "beyond what was tried",
    }


def _gain(curve: LearningCurve, rows: int) -> tuple[float, float, float]:
    """Part of the error that twice the data would take away, and its 95% interval."""
    gains = 1 - curve.all_at(2 * rows) / curve.all_at(rows)
    low, high = np.quantile(gains[1:], [0.025, 0.975])
    return float(gains[0]), float(low), float(high)


def without_unfinished(series: Series) -> str:
    """What the advice had to do without."""
    return f"Without what has no result: {'; '.join(series.unfinished)}"


def law_table(series: Series) -> pd.DataFrame:
    """The fit of each depth.

    Returns:
        Columns ``layers``, ``unit``, ``floor`` (in it; missing where too few sizes told of one), ``scale`` and
        ``exponent`` of ``floor + scale * N^-exponent``, floor and exponent with their 95% intervals in words, and the
        training rows ``from_rows`` and ``to_rows`` that it was fitted to.
    """
    rows = []
    for depth in sorted(series.curves):
        curve = series.curves[depth]
        row: dict[str, object] = {"layers": depth, "unit": series.unit}
        draws = np.where(curve.draws < _NOTHING * curve.at(curve.largest)[0], 0.0, curve.draws)
        low, high = np.quantile(draws[1:], [0.025, 0.975], axis=0)
        is_fitted = len(series.errors[depth]) >= SIZES_FOR_A_FLOOR
        row |= {
            "floor": float(draws[0, 0]) if is_fitted else math.nan,
            "floor_interval": f"{number(low[0])} to {number(high[0])}" if is_fitted else "too few sizes",
            "scale": float(curve.draws[0, 1]),
            "exponent": curve.exponent,
            "exponent_interval": f"{number(low[2])} to {number(high[2])}",
        }
        rows.append({**row, "from_rows": curve.smallest, "to_rows": curve.largest})
    return pd.DataFrame(rows)


def advice_text(series: Series, rows: int, *, optimistic: bool = False) -> str:
    """The expected errors, and the advice in words."""
    table = pd.DataFrame([_row(series, depth, rows) for depth in sorted(series.curves)])
    best = series.best_depth(rows)
    curve = series.curves[best]
    gain, low, high = _gain(curve, rows)
    sentences = [
        f"Take {best} layers: {_why(series, best)}.",
        f"Twice the data would lower the error by {100 * gain:.0f}% "
        f"(95% interval {100 * low:.0f} to {100 * high:.0f}).",
    ]
    sizes = f"the sizes that were tried, {curve.smallest:,} to {curve.largest:,}"
    if not curve.smallest <= rows <= curve.largest:
        sentences.append(f"This reaches beyond {sizes}.")
    elif 2 * rows > curve.largest:
        sentences.append(f"Twice as many reaches beyond {sizes}.")
    if optimistic:
        sentences.append("The test rows chose each network's epoch, so that all errors are optimistic.")
    if series.unfinished:
        sentences.append(f"{without_unfinished(series)}.")
    heading = f"{series.data}, {rows:,} training rows"
    return "\n\n".join([heading, format_table(table, "table"), " ".join(sentences)])


def _row(series: Series, depth: int, rows: int) -> dict[str, object]:
    curve = series.curves[depth]
    error, low, high = curve.at(rows)
    return {
        "layers": depth,
        with_unit("expected test MAE", series.unit): number(error),
        "95% interval": f"{number(low)} to {number(high)}",
        f"with {2 * rows:,} rows": number(curve.at(2 * rows)[0]),
        "law": f"{number(curve.floor) + ' + ' if curve.floor > _WORTH_NAMING * error else ''}c N^-{curve.exponent:.2f}",
    }


def _why(series: Series, best: int) -> str:
    deeper = [depth for depth in series.curves if depth > best]
    if deeper:
        return "no deeper network is lower by more than the measurements leave open"
    return "the deepest that was tried has the lowest error" if len(series.curves) > 1 else "no other depth was tried"
