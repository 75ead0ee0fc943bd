"""Datasets of crystal structures that matminer knows by name and downloads."""

from __future__ import annotations

import contextlib
import functools
import importlib.util
import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

import pandas as pd

from irnet_ray.cache import make_directory
from irnet_ray.crystal import Crystal, to_crystal
from irnet_ray.data.cards import MatminerSource
from irnet_ray.data.curate import STRUCTURE
from irnet_ray.data.sources.checksum import verify
from irnet_ray.data.sources.table import as_numbers
from irnet_ray.errors import CrystalError, DataError, suggestion
from irnet_ray.formula import SYMBOLS

FORM = "json"
"""How the structures are written."""

_METADATA = Path("datasets", "dataset_metadata.json")


@functools.cache
def matminer_metadata() -> dict[str, dict[str, Any]]:
    """What the installed matminer says of its datasets, by name; found without importing matminer.

    Raises:
        DataError: matminer, or this file in it, is missing.
    """
    package = importlib.util.find_spec("matminer")
    for folder in (package and package.submodule_search_locations) or []:
        path = Path(folder) / _METADATA
        if path.exists():
            content: dict[str, dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))
            return content
    raise DataError(f"matminer's {_METADATA.name} is missing; install matminer again")


def matminer_checksum(source: MatminerSource) -> str:
    """The sha256 that matminer tells for a dataset.

    Raises:
        DataError: This version of matminer has no such dataset.
    """
    return str(_facts(source)["hash"])


def _facts(source: MatminerSource) -> dict[str, Any]:
    metadata = matminer_metadata()
    if source.dataset not in metadata:
        problem = f"matminer has no dataset '{source.dataset}'{suggestion(source.dataset, metadata)}"
        raise DataError(f"{problem}; install another version of matminer")
    return metadata[source.dataset]


def matminer_path(source: MatminerSource, downloads: Path) -> Path:
    """Where the dataset's file lies, or belongs if it is not there."""
    return downloads / "matminer" / f"{source.dataset}.{_facts(source)['file_type']}"


def fetch_matminer(source: MatminerSource, downloads: Path) -> Path:
    """Downloads a dataset unless it is there, and verifies it.

    Args:
        source: Which dataset.
        downloads: The folder of what was fetched; a copy that somebody put into its folder ``matminer`` is used.

    Raises:
        DataError: matminer cannot download it, or its checksum is wrong.
        StorageError: The cache cannot be written.
    """
    path = matminer_path(source, downloads)
    if not path.exists():
        _download(source, path)
    verify(path, matminer_checksum(source), f"delete {path}, and it is downloaded again")
    return path


def read_matminer(source: MatminerSource, downloads: Path) -> pd.DataFrame:
    """Reads a dataset, downloading it if need be.

    Args:
        source: Which dataset, and which columns hold which properties.
        downloads: The folder of what was fetched.

    Returns:
        Columns ``structure`` (JSON, empty where missing) and one for each property (float64); the index
        numbers the rows from 1.

    Raises:
        DataError: The dataset cannot be had, or is not what it was.
        StorageError: The cache cannot be written.
    """
    path = matminer_path(source, downloads)
    frame = None if path.exists() else _download(source, path)
    fetch_matminer(source, downloads)
    frame = _load(source, path.parent) if frame is None else frame
    for column in (source.structure, *source.columns.values()):
        if column not in frame:
            problem = f"matminer's {source.dataset} has no column '{column}'{suggestion(column, map(str, frame))}"
            raise DataError(f"{problem}; install another version of matminer")
    where = f"matminer's {source.dataset}"
    data: dict[str, pd.Series[Any]] = {STRUCTURE: frame[source.structure].map(_text).astype(object)}
    data |= {name: as_numbers(frame[column].astype(object), where) for name, column in source.columns.items()}
    table = pd.DataFrame(data)
    table.index = pd.RangeIndex(1, len(table) + 1)
    return table


def _download(source: MatminerSource, path: Path) -> pd.DataFrame:
    """Lets matminer download into a folder beside, so that no half of a file is left."""
    folder = make_directory(path.parent)
    with tempfile.TemporaryDirectory(dir=folder) as beside:
        try:
            frame = _load(source, Path(beside))
            os.replace(Path(beside, path.name), path)
        except (OSError, ValueError, UserWarning) as error:  # UserWarning: repeatedly not the file it should be
            said = (str(error).strip() or type(error).__name__).splitlines()[0]
            problem = f"matminer could not download {source.dataset} ({said})"
            url = _facts(source)["url"]
            raise DataError(f"{problem}; connect to the internet, or put {url} as {path.name} into {folder}") from error
    return frame


def _load(source: MatminerSource, folder: Path) -> pd.DataFrame:
    from matminer import datasets

    with contextlib.redirect_stdout(sys.stderr):  # matminer prints what it fetches
        frame: pd.DataFrame = datasets.load_dataset(source.dataset, data_home=str(folder))
    return frame


def _text(structure: Any) -> str:
    """Writes a structure briefly, as JARVIS does; as pymatgen does where it is no ordered crystal."""
    if structure is None or isinstance(structure, float):
        return ""
    try:
        return _jarvis_json(to_crystal(structure))
    except CrystalError:  # curation reads the text, and tells the row and the reason
        return json.dumps(structure if isinstance(structure, dict) else structure.as_dict())


def _jarvis_json(crystal: Crystal) -> str:
    symbols = [SYMBOLS[element] for element in crystal.elements]
    lattice, positions = crystal.lattice.tolist(), crystal.positions.tolist()
    return json.dumps({"lattice_mat": lattice, "coords": positions, "elements": symbols})
