"""Rows to featurize, as a stream: formulas or structures of a file or a folder, however large it is."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from irnet_ray.crystal import ANY_FORM
from irnet_ray.data.sources.columns import (
    ROWS_A_BATCH,
    TABLE_SUFFIXES,
    as_text,
    column_names,
    first_value,
    is_table,
    stream_columns,
)
from irnet_ray.data.sources.structure_files import (
    STRUCTURE_FILES,
    folder_form,
    form_of,
    has_frames,
    read_structure,
    stream_frames,
    structure_files,
)
from irnet_ray.errors import DataError, suggestion
from irnet_ray.formula import FORMULA_FORM

_STRUCTURE_COLUMNS = ("poscar", "cif", "structure", "atoms", "crystal")
_FORMULA_COLUMNS = ("formula", "composition")


class RowBatch(NamedTuple):
    """Consecutive rows.

    Attributes:
        start: Number of the first row. Rows count from 1, without a table's header; in a folder by the
            sorted names.
        ids: Of an id column, or the names of the files; None where there are none.
        texts: Formulas or structures as written, empty where missing.
    """

    start: int
    ids: list[str] | None
    texts: list[str]


@dataclass(frozen=True)
class RowSource:
    """Where rows come from; small, and can be read again and again, also by another process.

    Attributes:
        path: Of the file or folder, absolute.
        form: ``formula``, or in which form of ``irnet_ray.crystal.FORMS`` the structures are written; ``any`` in
            tables, where each row may be written otherwise.
        column: Of a table, which holds the formulas or structures.
        id_column: Of a table, which holds names of the rows.
    """

    path: str
    form: str
    column: str | None = None
    id_column: str | None = None

    def batches(self, rows: int = ROWS_A_BATCH) -> Iterator[RowBatch]:
        """Reads the rows in their order.

        Args:
            rows: Rows of a batch, all that is held in memory at a time.

        Raises:
            DataError: The source is missing or broken.
        """
        path, start = Path(self.path), 1
        for ids, texts in self._parts(path, rows):
            yield RowBatch(start, ids and list(map(_encodable, ids)), list(map(_encodable, texts)))
            start += len(texts)

    def _parts(self, path: Path, rows: int) -> Iterator[tuple[list[str] | None, list[str]]]:
        if self.column is not None:
            names = [self.column, *([self.id_column] if self.id_column else [])]
            for batch in stream_columns(path, names, rows):
                ids = [as_text(value) for value in batch[self.id_column]] if self.id_column else None
                yield ids, [as_text(value) for value in batch[self.column]]
        elif self.form == "extxyz":
            frames = stream_frames(path)
            while texts := list(itertools.islice(frames, rows)):
                yield None, texts
        else:
            folder, files = (path, structure_files(path)) if path.is_dir() else (path.parent, [path.name])
            for first in range(0, len(files), rows):
                ids = files[first : first + rows]
                yield ids, [read_structure(folder / name) for name in ids]


def open_rows(
    path: str,
    *,
    formula_column: str | None = None,
    structure_column: str | None = None,
    id_column: str | None = None,
) -> RowSource:
    """Finds out what a file or folder holds.

    Args:
        path: A folder of CIF, POSCAR or JSON files, one such file, extended XYZ, or a table in CSV, Parquet
            or JSON lines.
        formula_column: Of a table, which holds formulas.
        structure_column: Of a table, which holds structures. Without either the first of ``poscar``,
            ``cif``, ``structure``, ``atoms`` and ``crystal`` is taken, else ``formula`` or ``composition``.
        id_column: Of a table, which holds names of the rows.

    Raises:
        DataError: There is no such file, folder or column, it holds nothing, or it is broken.
    """
    place = Path(path).expanduser().absolute()
    if not place.exists():
        raise DataError(f"{path}: no such file or folder; correct the path")
    if formula_column is not None and structure_column is not None:
        raise DataError(f"{path}: a column of formulas and one of structures are named; name one of them")
    if not place.is_dir() and is_table(place):
        return _open_table(place, formula_column, structure_column, id_column)
    named = formula_column or structure_column or id_column
    if named:
        raise DataError(f"{path}: is no table and has no column '{named}'; name columns of tables only")
    return _open_files(place)


def _open_files(path: Path) -> RowSource:
    if path.is_dir():
        return RowSource(str(path), folder_form(path))
    if has_frames(path):
        if next(stream_frames(path), None) is None:
            raise DataError(f"{path}: holds no frame; give a file with structures")
        return RowSource(str(path), "extxyz")
    form = form_of(path.name)
    if form is None:
        known = f"{STRUCTURE_FILES}, *.xyz, *.extxyz, {', '.join(f'*{suffix}' for suffix in TABLE_SUFFIXES)}"
        raise DataError(f"{path}: not a format that can be read; convert it to one of {known}")
    return RowSource(str(path), form)


def _open_table(
    path: Path, formula_column: str | None, structure_column: str | None, id_column: str | None
) -> RowSource:
    column = formula_column or structure_column or _usual_column(path)
    if id_column is not None and id_column not in (names := column_names(path)):
        raise DataError(f"{path}: no column '{id_column}'{suggestion(id_column, names)}")
    first_value(path, column)  # or it is told that there is none
    holds_formulas = structure_column is None and column in {formula_column, *_FORMULA_COLUMNS}
    return RowSource(str(path), FORMULA_FORM if holds_formulas else ANY_FORM, column, id_column)


def _encodable(text: str) -> str:
    """Replaces what no file can hold: halves of characters in JSON, bytes that are no UTF-8 in names of files."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")


def _usual_column(path: Path) -> str:
    names = column_names(path)
    for name in (*_STRUCTURE_COLUMNS, *_FORMULA_COLUMNS):
        if name in names:
            return name
    raise DataError(f"{path}: no column of structures or formulas has a usual name; name one{suggestion('', names)}")
