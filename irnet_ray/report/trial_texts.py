"""What the page tells of a trial when a pointer is near it."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import pandas as pd

from irnet_ray.report.wording import capitalized, count, model_label, number
from irnet_ray.study.progress import duration


def trial_texts(results: pd.DataFrame) -> dict[str, str]:
    """A text for each finished trial, by its id.

    Args:
        results: Columns as in ``RESULT_COLUMNS``, one row for each trial.
    """
    return {str(row["trial_id"]): _text(row) for row in results.to_dict("records")}


def _text(row: dict[Hashable, Any]) -> str:
    depth = None if pd.isna(row["depth"]) else int(row["depth"])
    unit = f" {row['unit']}" if row["unit"] else ""
    how = f"width {row['width']:g}, {row['recipe']}" if depth else str(row["settings"] or "")
    epochs = f"{count(int(row['epochs']), 'epoch')} in " if depth else ""
    return "\n".join(
        [
            f"{capitalized(model_label(row['model'], depth))}, seed {row['seed']} · {row['trial_id']}",
            f"test MAE {number(row['test_mae'])}{unit}, validation {number(row['val_mae'])}, "
            f"P90 {number(row['test_p90'])}",
            ", ".join(filter(None, [f"{row['train_rows']:,} rows", row["representation"], how])),
            f"{epochs}{duration(row['train_seconds'])}",
        ]
    )
