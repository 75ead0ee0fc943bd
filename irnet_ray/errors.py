"""The errors that a user can cause and mend.

Each carries one line that names what is wrong and how to repair it. The command line prints that line
and exits with code 2; everything else is a defect of this package and keeps its traceback.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class UserError(Exception):
    """Something that the user can mend; the message says what and how."""


class ConfigurationError(UserError):
    """A study, or an option on the command line, that asks for something that does not exist."""


class DataError(UserError):
    """A dataset that is missing, altered, or not what its description says."""


class FormulaError(DataError):
    """A chemical formula that cannot be turned into amounts of elements."""


class CrystalError(DataError):
    """A crystal structure that does not parse, or that no crystal can have."""


class StorageError(UserError):
    """A disk or bucket that cannot be read or written."""


class RunError(UserError):
    """A run directory that cannot be used for what was asked."""


class DamageError(RunError):
    """A trial that has ended but whose files are not whole; running its study again does it again.

    Attributes:
        what: Is wrong with them.
    """

    def __init__(self, trial_id: str, what: str) -> None:
        super().__init__(f"trial {trial_id}: {what}; run the study again")
        self.what = what


class TrainingError(UserError):
    """A trial that cannot go on, because its loss is not a number, for example."""


class LimitError(UserError):
    """A trial that takes more time or memory than it may.

    Attributes:
        limit: Name of the limit.
        value: Of the limit.
    """

    def __init__(self, message: str, limit: str, value: float) -> None:
        super().__init__(message)
        self.limit = limit
        self.value = value


def suggestion(name: str, choices: Iterable[str]) -> str:
    """Says which choice was probably meant.

    Args:
        name: What the user wrote.
        choices: What could have been written.

    Returns:
        ``"; did you mean 'depth'?"`` where a choice is near, and the list of all choices where none is.
    """
    known = sorted({str(choice) for choice in choices})
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
    if near:
        return f"; did you mean '{near[0]}'?"
    return f"; choose from {', '.join(known)}"
