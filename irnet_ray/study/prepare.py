"""From a study's trials to the rows that they share: load, split, featurize, and keep what is needed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from irnet_ray.data.cache import cache_directory
from irnet_ray.data.load import Materials, load
from irnet_ray.data.split import Split, split
from irnet_ray.errors import ConfigurationError, FormulaError
from irnet_ray.features.cache import FeatureCache, compute_part
from irnet_ray.features.representation import unsupported_rows
from irnet_ray.model.rows import Rows
from irnet_ray.study.execute import MatrixData
from irnet_ray.study.trial import Matrix, Trial

ComputeMissing = Callable[[FeatureCache], None]
"""Computes the parts that a cache misses."""


def prepare(
    trials: Sequence[Trial], compute_missing: ComputeMissing, *, skip_bad_rows: bool = False
) -> dict[str, MatrixData]:
    """Makes the rows of every matrix that these trials learn from.

    Args:
        trials: What is to be trained.
        compute_missing: How features are computed: in this process or by Ray Data.
        skip_bad_rows: Whether rows without a readable formula are dropped.

    Returns:
        The rows by ``trial.matrix.canonical()``.

    Raises:
        DataError: A dataset is missing, altered or holds nothing to learn.
        ConfigurationError: More training rows are asked than there are.
    """
    by_matrix: dict[str, list[Trial]] = {}
    for trial in trials:
        by_matrix.setdefault(trial.matrix.canonical(), []).append(trial)
    return {key: _matrix_data(group, compute_missing, skip_bad_rows) for key, group in by_matrix.items()}


def load_materials(matrix: Matrix, *, skip_bad_rows: bool) -> Materials:
    """Loads the materials of a matrix, without those that its representation cannot describe.

    Raises:
        FormulaError: There are such, and they are not to be skipped.
    """
    materials = load(matrix.own_table or matrix.dataset, matrix.property, skip_bad_rows=skip_bad_rows)
    bad = unsupported_rows(materials.formulas, matrix.representation)
    if not bad:
        return materials
    if not skip_bad_rows:
        more = f" (and {len(bad) - 1} more)" if len(bad) > 1 else ""
        raise FormulaError(
            f"{materials.name}: {bad[0]}{more}; choose another representation, or drop such rows with --skip-bad-rows"
        )
    kept = np.setdiff1d(np.arange(len(materials)), [each.row for each in bad])
    published = materials.published_split
    return replace(
        materials,
        formulas=[materials.formulas[row] for row in kept],
        target=materials.target[kept],
        published_split=None if published is None else published[kept],
        report=materials.report.followed_by(f"without columns in {matrix.representation}", len(bad)),
    )


def _matrix_data(trials: list[Trial], compute_missing: ComputeMissing, skip_bad_rows: bool) -> MatrixData:
    """Makes the rows that trials of one matrix share."""
    matrix = trials[0].matrix
    materials = load_materials(matrix, skip_bad_rows=skip_bad_rows)
    whole = split(materials.formulas, trials[0].split, materials.published_split)
    needed, kept = _keep_needed(whole, [trial.train_size for trial in trials], matrix)
    cache = FeatureCache(cache_directory(), materials.formulas, matrix.representation)
    compute_missing(cache)
    return MatrixData(
        rows=Rows(cache.load(needed), materials.target[needed]),
        formulas=np.array(materials.formulas, dtype=np.str_)[needed],
        unit=materials.unit,
        split=kept,
        curation=materials.report,
    )


def _keep_needed(whole: Split, train_sizes: list[int | None], matrix: Matrix) -> tuple[np.ndarray, Split]:
    """Finds the rows that the largest trial needs, and the split in terms of them.

    Validation rows grow with the training rows, so the largest trial's hold those of the others.
    """
    largest = None if None in train_sizes else max(size for size in train_sizes if size is not None)
    try:
        subset = whole.subset(largest)
    except ConfigurationError as error:
        raise ConfigurationError(f"{matrix.dataset}, {matrix.property}: {error}") from error
    needed = np.unique(np.concatenate([subset.train, subset.validation, subset.test]))
    train, validation, test = (np.searchsorted(needed, part) for part in (subset.train, subset.validation, subset.test))
    return needed, replace(subset, train=train, validation=validation, test=test)


def compute_missing_here(cache: FeatureCache) -> None:
    """Computes missing features in this process, one part after the other."""
    for part in cache.missing():
        compute_part(cache.folder, cache.name, part)
