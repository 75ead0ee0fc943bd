"""A study with its tables in one folder, to be sent to a cluster."""

from __future__ import annotations

import shutil
from pathlib import Path

from irnet_ray.errors import ConfigurationError
from irnet_ray.study.read import dump_yaml
from irnet_ray.study.spec import Study

STUDY = "study.yaml"
_MOST_MEBIBYTES = 100  # that Ray keeps in the memory of the head node


def pack(study: Study, folder: Path) -> None:
    """Writes a study, with profile and settings applied, and copies the tables of one's own that it reads.

    Args:
        study: The study.
        folder: An empty one.

    Raises:
        ConfigurationError: The tables are too large to be sent along.
    """
    content = study.model_dump(mode="json")
    tables: dict[str, str] = {}
    for block in content["data"]:
        dataset = block["dataset"]
        if isinstance(dataset, dict):
            dataset["path"] = tables.setdefault(dataset["path"], f"{len(tables)}/{Path(dataset['path']).name}")
    _check_size(tables)
    for source, name in tables.items():
        (folder / name).parent.mkdir()
        shutil.copyfile(source, folder / name)
    (folder / STUDY).write_bytes(dump_yaml(content))


def _check_size(tables: dict[str, str]) -> None:
    total = sum(Path(source).stat().st_size for source in tables) / 2**20
    if total > _MOST_MEBIBYTES:
        raise ConfigurationError(
            f"data.dataset.path: {total:,.0f} MiB of tables are too many to be sent along ({_MOST_MEBIBYTES} at most); "
            "copy them to the cluster, and run the study there with 'ray exec'"
        )
