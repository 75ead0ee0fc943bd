"""Files of structures: one structure each, folders of them, and extended XYZ with many frames."""

from __future__ import annotations

import gzip
import itertools
import os
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from irnet_ray.data.sources.columns import in_one_line
from irnet_ray.errors import DataError

STRUCTURE_FILES = "*.cif, *.vasp, *.poscar, POSCAR*, CONTCAR*, *.json"
"""Files of one structure, for messages."""

_FORM_OF_SUFFIX = {".cif": "cif", ".vasp": "poscar", ".poscar": "poscar", ".json": "json"}
_FRAME_SUFFIXES = (".xyz", ".xyz.gz", ".extxyz", ".extxyz.gz")
_LONGEST_QUOTE = 40
_MOST_DIGITS = 9


def form_of(name: str) -> str | None:
    """In which form a file holds one structure, by its name without folders; None where it holds none."""
    plain = name.removesuffix(".gz")
    if plain.startswith(("POSCAR", "CONTCAR")):
        return "poscar"
    return _FORM_OF_SUFFIX.get(os.path.splitext(plain)[1].lower())


def has_frames(path: Path) -> bool:
    """Whether the name is that of an extended XYZ file."""
    return path.name.lower().endswith(_FRAME_SUFFIXES)


def structure_files(folder: Path) -> list[str]:
    """Finds the files of structures in a folder and the folders in it, leaving out hidden ones.

    Returns:
        Paths relative to the folder, sorted, with ``/``.
    """
    found = []
    for place, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        files = (name for name in names if not name.startswith(".") and form_of(name))
        found += [Path(place, name).relative_to(folder).as_posix() for name in files]
    return sorted(found)


def folder_form(folder: Path) -> str:
    """In which form a folder's files are written.

    Raises:
        DataError: The folder holds no structures, or structures in several forms.
    """
    examples: dict[str, str] = {}
    for name in structure_files(folder):
        examples.setdefault(form_of(Path(name).name) or "", name)
    if not examples:
        raise DataError(f"{folder}: holds no files of structures; it needs {STRUCTURE_FILES}")
    if len(examples) > 1:
        several = ", ".join(f"'{name}' in {form}" for form, name in examples.items())
        raise DataError(f"{folder}: holds structures in several forms ({several}); give each form its own folder")
    return next(iter(examples))


def read_structure(path: Path) -> str:
    """Reads a file of one structure; what is no UTF-8, such as a name in a CIF, becomes a replacement character.

    Raises:
        DataError: The file is missing or broken.
    """
    with in_one_line(path), _open(path) as file:
        return file.read()


def stream_frames(path: Path) -> Iterator[str]:
    """Splits an extended XYZ file into frames: a number of atoms, a comment, and a line for each atom.

    Raises:
        DataError: The file is missing or broken, or a frame does not have the atoms that it says.
    """
    with in_one_line(path), _open(path) as file:
        for number in itertools.count(1):
            count = next((line for line in file if line.strip()), None)
            if count is None:
                return
            yield _frame(count, file, f"{path}: frame {number}")


def _frame(count: str, file: IO[str], where: str) -> str:
    text = count.strip()
    if not text.isdecimal() or len(text) > _MOST_DIGITS:
        quoted = text if len(text) <= _LONGEST_QUOTE else f"{text[:_LONGEST_QUOTE]}..."
        raise DataError(f"{where} begins with '{quoted}', not with its number of atoms; repair it or the frame before")
    atoms = int(text)
    lines = list(itertools.islice(file, atoms + 1))
    if len(lines) < atoms + 1:
        raise DataError(f"{where} ends after {max(len(lines) - 1, 0)} of {atoms} atoms; repair the file")
    return "".join([count, *lines])


def _open(path: Path) -> IO[str]:
    """Opens text, unpacking it if need be."""
    if path.name.endswith(".gz"):
        return gzip.open(path, "rt", encoding="utf-8", errors="replace")
    return path.open(encoding="utf-8", errors="replace")
