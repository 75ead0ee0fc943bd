"""Files on a disk, NFS, S3 or GCS, reached through pyarrow and written whole or not at all."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
from pyarrow import fs

from irnet_ray.errors import StorageError


class Storage:
    """A folder somewhere, addressed by paths relative to it.

    Args:
        uri: A path, or a URI such as ``s3://bucket/folder``.
        otherwise: What else the user can do where it fails.

    Attributes:
        uri: As given, absolute if a path.

    Raises:
        StorageError: There is no such kind of storage.
    """

    def __init__(self, uri: str, otherwise: str = "choose another --storage") -> None:
        self._otherwise = otherwise
        self.uri = uri if "://" in uri else str(Path(uri).resolve())
        try:
            self._filesystem, self._root = fs.FileSystem.from_uri(self.uri)
        except (OSError, ValueError) as error:
            raise StorageError(f"cannot use storage '{uri}': {error}; {otherwise}") from error

    @property
    def local_path(self) -> Path | None:
        """The folder on this machine's disk; ``None`` where it is elsewhere."""
        return Path(self._root) if isinstance(self._filesystem, fs.LocalFileSystem) else None

    def read(self, path: str) -> bytes | None:
        """Reads a whole file; ``None`` where there is none.

        Raises:
            StorageError: It is there and cannot be read.
        """
        with self._explained("read", path):
            try:
                with self._filesystem.open_input_stream(self._full(path)) as stream:
                    content: bytes = stream.read()
            except FileNotFoundError:
                return None
            return content

    def open(self, path: str) -> pa.NativeFile:
        """Opens a file to read parts of it.

        Raises:
            OSError: There is none, or it cannot be read.
        """
        return self._filesystem.open_input_file(self._full(path))

    def write(self, path: str, content: bytes) -> None:
        """Writes a whole file; whoever reads meanwhile finds the former one or none.

        Raises:
            StorageError: The disk is full or read-only, for example.
        """
        with self._explained("write", path):
            full = self._full(path)
            if self.local_path is None:  # an object appears when its stream is closed
                self._write_stream(full, content)
                return
            os.makedirs(os.path.dirname(full), exist_ok=True)
            temporary = f"{full}.{uuid.uuid4().hex}.part"
            try:
                self._write_stream(temporary, content)
                os.replace(temporary, full)
            finally:
                Path(temporary).unlink(missing_ok=True)

    def _write_stream(self, full: str, content: bytes) -> None:
        with self._filesystem.open_output_stream(full) as stream:
            stream.write(content)

    def exists(self, path: str) -> bool:
        """Whether a file is there."""
        with self._explained("read", path):
            return bool(self._filesystem.get_file_info(self._full(path)).type == fs.FileType.File)

    def names(self, folder: str = "") -> list[str]:
        """Names of files and folders directly in a folder, sorted; none where there is no such folder."""
        selector = fs.FileSelector(self._full(folder), allow_not_found=True)
        with self._explained("read", folder):
            return sorted(str(info.base_name) for info in self._filesystem.get_file_info(selector))

    def files(self, folder: str) -> set[str]:
        """Paths of all files below a folder, relative to it; one request, however many there are."""
        selector = fs.FileSelector(self._full(folder), allow_not_found=True, recursive=True)
        prefix = len(self._full(folder)) + 1
        with self._explained("read", folder):
            found = self._filesystem.get_file_info(selector)
        return {str(info.path)[prefix:] for info in found if info.type == fs.FileType.File}

    def delete(self, path: str) -> None:
        """Deletes a file if it is there."""
        with self._explained("delete", path):
            try:
                self._filesystem.delete_file(self._full(path))
            except FileNotFoundError:
                return

    def delete_folder(self, path: str) -> None:
        """Deletes a folder and all in it if it is there."""
        with self._explained("delete", path):
            try:
                self._filesystem.delete_dir(self._full(path))
            except FileNotFoundError:
                return

    def _full(self, path: str) -> str:
        return f"{self._root}/{path}".rstrip("/")

    @contextmanager
    def _explained(self, action: str, path: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            reason = (error.strerror or str(error)).rpartition("] ")[2]  # pyarrow's messages are long
            raise StorageError(
                f"cannot {action} '{self.uri}/{path}': {reason}; free or unlock it, or {self._otherwise}"
            ) from error
