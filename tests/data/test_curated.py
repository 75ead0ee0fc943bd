import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from irnet_ray.cache import Cache
from irnet_ray.data import curated
from irnet_ray.data.curate import CurationReport, StepReport
from irnet_ray.data.curated import Curated, curated_once, key_of
from irnet_ray.errors import StorageError


class Maker:
    """Makes a table, and counts how often."""

    def __init__(self, bad_rows=0):
        self.calls = 0
        self.bad_rows = bad_rows

    def __call__(self):
        self.calls += 1
        table = pd.DataFrame(
            {"formula": ["NaCl", "MgO"], "structure": ["a\nb", "c"], "gap": [1.5, np.nan]}, index=[3, 7]
        )
        steps = (StepReport("drop_missing", 1), StepReport("reduce_composition", self.bad_rows))
        return Curated(table, CurationReport(5 + self.bad_rows, steps), "poscar")


def test_what_was_made_comes_back_from_the_disk(tmp_path):
    make = Maker()
    first = curated_once(Cache(tmp_path), {"content": "x"}, make, skip_bad_rows=False)
    second = curated_once(Cache(tmp_path), {"content": "x"}, make, skip_bad_rows=False)
    assert make.calls == 1
    assert (second.report, second.form) == (first.report, first.form)
    pd.testing.assert_frame_equal(second.table, first.table.reset_index(drop=True))
    assert [path.suffix for path in (tmp_path / "curated").iterdir()] == [".parquet"]


def test_without_bad_rows_one_table_serves_both_ways_of_treating_them(tmp_path):
    make = Maker()
    for skip in (True, False, True):
        curated_once(Cache(tmp_path), {"content": "x"}, make, skip_bad_rows=skip)
    assert make.calls == 1


def test_dropped_bad_rows_are_never_hidden_from_those_who_refuse_them(tmp_path):
    make = Maker(bad_rows=2)
    for skip in (True, True, False):
        curated_once(Cache(tmp_path), {"content": "x"}, make, skip_bad_rows=skip)
    assert make.calls == 2


def test_a_damaged_table_is_made_again(tmp_path):
    make = Maker()
    curated_once(Cache(tmp_path), {"content": "x"}, make, skip_bad_rows=False)
    (path,) = (tmp_path / "curated").iterdir()
    path.write_bytes(b"PAR1")
    curated_once(Cache(tmp_path), {"content": "x"}, make, skip_bad_rows=False)
    assert make.calls == 2


def test_no_altered_byte_is_trusted(tmp_path):
    make = Maker()
    whole = curated_once(Cache(tmp_path), {"content": "x"}, make, skip_bad_rows=False)
    (path,) = (tmp_path / "curated").iterdir()
    content = path.read_bytes()
    for place in range(0, len(content), 20):
        path.write_bytes(content[:place] + bytes([content[place] ^ 0x01]) + content[place + 1 :])
        found = curated_once(Cache(tmp_path), {"content": "x"}, make, skip_bad_rows=False)
        pd.testing.assert_frame_equal(found.table.reset_index(drop=True), whole.table.reset_index(drop=True))
        assert (found.report, found.form) == (whole.report, whole.form)
    assert make.calls == 1 + len(range(0, len(content), 20))


def test_a_new_version_makes_it_again(tmp_path, monkeypatch):
    make = Maker()
    curated_once(Cache(tmp_path), {"content": "x"}, make, skip_bad_rows=False)
    monkeypatch.setattr(curated, "VERSION", curated.VERSION + 1)
    curated_once(Cache(tmp_path), {"content": "x"}, make, skip_bad_rows=False)
    assert make.calls == 2


def test_a_cache_that_cannot_be_written_names_the_repair(tmp_path):
    (tmp_path / "curated").write_text("")
    with pytest.raises(StorageError, match="IRNET_RAY_CACHE"):
        curated_once(Cache(tmp_path), {"content": "x"}, Maker(), skip_bad_rows=False)


values = st.recursive(
    st.text(max_size=3) | st.integers() | st.none(), lambda each: st.lists(each, max_size=2), max_leaves=4
)
identities = st.dictionaries(st.sampled_from(["content", "columns", "steps"]), values)


@given(identities, identities, st.booleans(), st.booleans())
def test_two_tables_share_a_file_only_if_all_is_equal(one, other, skip_one, skip_other):
    same = key_of(one, skip_bad_rows=skip_one) == key_of(other, skip_bad_rows=skip_other)
    assert same == (one == other and skip_one == skip_other)


@given(identities)
def test_the_order_of_the_keys_does_not_matter(identity):
    reverse = dict(reversed(identity.items()))
    assert key_of(identity, skip_bad_rows=False) == key_of(reverse, skip_bad_rows=False)
