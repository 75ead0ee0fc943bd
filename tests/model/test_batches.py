import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from irnet_ray.errors import ConfigurationError
from irnet_ray.model.batches import Batches, shard_size, shard_start


@given(st.integers(0, 10_000), st.integers(1, 50))
def test_shards_hold_every_row_once(rows, workers):
    ends = [shard_start(rows, workers, rank) + shard_size(rows, workers, rank) for rank in range(workers)]
    starts = [shard_start(rows, workers, rank) for rank in range(workers)]
    assert starts == [0, *ends[:-1]]
    assert ends[-1] == rows
    sizes = {shard_size(rows, workers, rank) for rank in range(workers)}
    assert max(sizes) - min(sizes) <= 1


@given(st.integers(2, 3000), st.integers(2, 600), st.integers(1, 8))
def test_all_workers_together_see_every_row_once_in_batches_of_the_size_asked_for(rows, batch_size, workers):
    try:
        batches = Batches(rows, batch_size, workers)
    except ConfigurationError:
        assume(False)
    parts = [[batches.part(step, rank) for step in range(batches.steps)] for rank in range(workers)]
    for rank, own in enumerate(parts):
        assert [start for start, _ in own] == [0, *(end for _, end in own[:-1])]
        assert all(end - start >= 2 for start, end in own)
        left_out = shard_size(rows, workers, rank) - own[-1][1]
        assert 0 <= left_out < 3
        assert max(end - start for start, end in own) - min(end - start for start, end in own[:-1] or own) <= 1
    sizes = [batches.size(step) for step in range(batches.steps)]
    assert sizes == [sum(own[step][1] - own[step][0] for own in parts) for step in range(batches.steps)]
    assert set(sizes[:-1]) <= {batch_size}
    assert sum(sizes) <= rows < sum(sizes) + 2 * workers


@given(st.integers(2, 3000), st.integers(2, 600))
def test_one_worker_cuts_its_order_into_slices(rows, batch_size):
    batches = Batches(rows, batch_size)
    starts = [start for start in range(0, rows, batch_size) if rows - start > 1]
    assert [batches.part(step, 0) for step in range(batches.steps)] == [
        (start, min(start + batch_size, rows)) for start in starts
    ]


@pytest.mark.parametrize(("rows", "batch_size", "workers"), [(1000, 5, 3), (5, 256, 3), (1000, 7, 4)])
def test_too_few_rows_for_a_worker_are_refused(rows, batch_size, workers):
    with pytest.raises(ConfigurationError, match=r"^batch_size: .* raise it, or lower trainer\.workers$"):
        Batches(rows, batch_size, workers)


def test_a_network_cannot_learn_from_one_row():
    with pytest.raises(ConfigurationError, match=r"^train_size: a network needs at least 2 rows, not 1$"):
        Batches(1, 256)
