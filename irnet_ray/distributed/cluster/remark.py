"""What is wrong with a cluster file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Remark:
    """One thing to mend.

    Attributes:
        kind: ``unfinished`` keeps the cluster from starting, ``unsafe`` lets strangers in, ``unpinned`` gives another
            cluster tomorrow, ``costly`` spends money on nothing, and of ``unknown`` no rule says whether it is safe.
        field: Where it stands in the file, as a dotted path.
        text: What is wrong, and the repair.
    """

    kind: Literal["unfinished", "unsafe", "unpinned", "costly", "unknown"]
    field: str
    text: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.field}: {self.text}"
