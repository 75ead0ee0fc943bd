"""One Ray session for every test that needs one."""

from __future__ import annotations

import pytest

from irnet_ray.study.spec import Trainer


@pytest.fixture(scope="session")
def ray_session(bucket):
    """Ray's processes know the bucket, as it is there before them."""
    from irnet_ray.distributed.session import session

    with session(None, Trainer(workers=2)):  # most of the time goes into starting the tests of two
        yield
