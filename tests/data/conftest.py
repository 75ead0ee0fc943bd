import hashlib
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from irnet_ray.data.cards import WheelSource

MakeWheel = Callable[..., WheelSource]


@pytest.fixture
def make_wheel() -> MakeWheel:
    """Writes a small wheel of CSV files and describes it."""

    def make(folder: Path, files: dict[str, str], members: dict[str, str]) -> WheelSource:
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / "tiny-1.0-py3-none-any.whl"
        with zipfile.ZipFile(path, "w") as archive:
            for name, text in files.items():
                archive.writestr(name, text)
        checksum = hashlib.sha256(path.read_bytes()).hexdigest()
        return WheelSource(kind="wheel", package="tiny", version="1.0", sha256=checksum, members=members)

    return make
