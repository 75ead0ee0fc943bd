"""How the rows of an epoch fall into steps, and the rows of a step onto workers."""

from __future__ import annotations

from dataclasses import dataclass

from irnet_ray.errors import ConfigurationError

_FEWEST_ROWS = 2  # of which batch norm can take a deviation


def shard_size(rows: int, workers: int, rank: int) -> int:
    """Rows that a worker holds: an equal part, and one of the rows left over for each of the first workers."""
    return rows // workers + (rank < rows % workers)


def shard_start(rows: int, workers: int, rank: int) -> int:
    """Position of the first row that a worker holds."""
    return rank * (rows // workers) + min(rank, rows % workers)


@dataclass(frozen=True)
class Batches:
    """The steps of an epoch.

    Each worker takes from its own rows, in an order of its own, its part of every step; together they see every row
    once an epoch. A last step that would have fewer than two rows for each worker is left out.

    Attributes:
        rows: Training rows of all workers together.
        batch_size: Rows a step, over all workers together.
        workers: Number of workers.

    Raises:
        ConfigurationError: Some step would have fewer than two rows for a worker.
    """

    rows: int
    batch_size: int
    workers: int = 1

    def __post_init__(self) -> None:
        if self.rows < _FEWEST_ROWS:
            raise ConfigurationError(f"train_size: a network needs at least {_FEWEST_ROWS} rows, not {self.rows}")
        if min(self.batch_size, self.rows) // self.workers < _FEWEST_ROWS:
            raise ConfigurationError(
                f"batch_size: {self.batch_size} of {self.rows} training rows leave fewer than {_FEWEST_ROWS} rows "
                f"a step for each of {self.workers} workers; raise it, or lower trainer.workers"
            )

    @property
    def steps(self) -> int:
        """Steps an epoch."""
        whole, left = divmod(self.rows, self.batch_size)
        return whole + (left // self.workers >= _FEWEST_ROWS)

    def size(self, step: int) -> int:
        """Rows of a step, over all workers together."""
        return self._before(step + 1) - self._before(step)

    def part(self, step: int, rank: int) -> tuple[int, int]:
        """Where a worker's part of a step begins and ends in the order of its own rows."""
        start, end = (shard_size(self._before(number), self.workers, rank) for number in (step, step + 1))
        return start, end

    def _before(self, step: int) -> int:
        """Rows of the steps before one."""
        return min(step * self.batch_size, self.rows)
