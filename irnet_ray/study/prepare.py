"""From a study's trials to the rows that they share: load, split, featurize, and keep what is needed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from irnet_ray.cache import Cache
from irnet_ray.data.load import Materials, load
from irnet_ray.data.split import Split, split
from irnet_ray.errors import ConfigurationError, DataError
from irnet_ray.features.representation import labels
from irnet_ray.model.rows import Rows
from irnet_ray.study.execute import MatrixData
from irnet_ray.study.featurize import ROWS_AT_A_TIME, Compute, Report, StoredRows, featurize_rows, rows_of
from irnet_ray.study.trial import Matrix, Trial


def prepare(
    trials: Sequence[Trial],
    compute: Compute,
    *,
    skip_bad_rows: bool = False,
    report: Report = lambda done, total: None,
) -> dict[str, MatrixData]:
    """Makes the rows of every matrix that these trials learn from.

    Args:
        trials: What is to be trained.
        compute: How attributes are computed: in this process or by Ray Data.
        skip_bad_rows: Whether rows that cannot be read or have no attributes are dropped.
        report: Is told the progress of computing attributes.

    Returns:
        The rows by ``trial.matrix.canonical()``.

    Raises:
        DataError: A dataset is missing, altered or holds nothing to learn.
        ConfigurationError: More training rows are asked than there are.
    """
    by_matrix: dict[str, list[Trial]] = {}
    for trial in trials:
        by_matrix.setdefault(trial.matrix.canonical(), []).append(trial)
    return {key: _matrix_data(group, compute, report, skip_bad_rows) for key, group in by_matrix.items()}


def _matrix_data(trials: list[Trial], compute: Compute, report: Report, skip_bad_rows: bool) -> MatrixData:
    """Makes the rows that trials of one matrix share."""
    matrix = trials[0].matrix
    materials = load(matrix.own_table or matrix.dataset, matrix.property, skip_bad_rows=skip_bad_rows)
    rows = rows_of(materials, matrix.representation)
    stored = featurize_rows(rows, matrix.representation, Cache(), compute, report)
    attributes, failures = _read(stored)
    materials, attributes = _without_failed(materials, attributes, failures, matrix, skip_bad_rows)
    whole = split(materials.formulas, trials[0].split, materials.published_split)
    needed, kept = _keep_needed(whole, [trial.train_size for trial in trials], matrix)
    return MatrixData(
        rows=Rows(attributes[needed], materials.target[needed]),
        formulas=np.array(materials.formulas, dtype=np.str_)[needed],
        unit=materials.unit,
        split=kept,
        curation=materials.report,
    )


def _read(stored: StoredRows) -> tuple[np.ndarray, dict[int, str]]:
    """Reads all attributes as a network wants them.

    Returns:
        Attributes, float32, shape ``(n, labels)``, and for each row that failed the reason.
    """
    attributes = np.empty((len(stored), len(labels(stored.representation))), dtype=np.float32)
    failures: dict[int, str] = {}
    for start in range(0, len(stored), ROWS_AT_A_TIME):
        block = stored.read(start, start + ROWS_AT_A_TIME)
        attributes[start : start + len(block)] = block.values
        failures |= {start + int(row): block.failures[row] for row in np.flatnonzero(block.failed)}
    return attributes, failures


def _without_failed(
    materials: Materials, attributes: np.ndarray, failures: dict[int, str], matrix: Matrix, skip_bad_rows: bool
) -> tuple[Materials, np.ndarray]:
    """Leaves out the rows that have no attributes.

    Raises:
        DataError: There are such, and they are not to be skipped; or no row is left.
    """
    if not failures:
        return materials, attributes
    row, reason = next(iter(failures.items()))
    where = f"{materials.name}, {materials.formulas[row]!r}: {reason}"
    if len(failures) == len(materials):
        raise DataError(f"{where}; no row is left for representation '{matrix.representation}', choose another")
    if not skip_bad_rows:
        more = f" (and {len(failures) - 1} more)" if len(failures) > 1 else ""
        raise DataError(f"{where}{more}; choose another representation, or drop such rows with --skip-bad-rows")
    kept = np.setdiff1d(np.arange(len(materials)), list(failures))
    step = f"without attributes for {matrix.representation}"
    return materials.take(kept, step), attributes[kept]


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
