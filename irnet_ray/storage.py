"""Files on a disk, NFS, S3 or GCS, reached through pyarrow and written whole or not at all."""

from __future__ import annotations

import errno
import os
import re
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit, urlunsplit

import pyarrow as pa
from pyarrow import fs
from tenacity import Retrying, retry_if_exception, stop_after_delay, wait_exponential_jitter

from irnet_ray.errors import StorageError

ELSEWHERE = "choose another --storage"
"""What the user of a run can do where its storage fails."""

PATIENCE_SECONDS = 60.0
"""For how long what fills a run tries storage again that does not answer."""

_UNFINISHED = re.compile(r"\.[0-9a-f]{32}\.part$")  # a file that is being written; it stays where its writer is killed
_PASSING = {
    *(errno.EAGAIN, errno.EBUSY, errno.EIO, errno.ESTALE, errno.ETIMEDOUT),
    *(errno.ECONNREFUSED, errno.ECONNRESET, errno.EHOSTUNREACH, errno.ENETDOWN, errno.ENETUNREACH),
}
_PASSING_WORDS = re.compile(
    r"AWS Error (NETWORK_CONNECTION|SLOW_DOWN|SERVICE_UNAVAILABLE|INTERNAL_FAILURE|THROTTLING|REQUEST_TIMEOUT)"
    r"|HTTP status 5\d\d|\bUNAVAILABLE\b"
)
_FOR_GOOGLE = "use the machine's account or GOOGLE_APPLICATION_CREDENTIALS; gs://anonymous@ reads what is public"
_KEYS = {
    "s3": "put them into AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or use the machine's role",
    "gs": _FOR_GOOGLE,
    "gcs": _FOR_GOOGLE,
}
_FIRST_WAIT, _LONGEST_WAIT = 0.5, 8.0  # seconds between two tries

Found = TypeVar("Found")


class Storage:
    """A folder somewhere, addressed by paths relative to it.

    Args:
        uri: A path, or a URI such as ``s3://bucket/folder``.
        otherwise: What else the user can do where it fails.
        patience: For how long storage that does not answer is tried again (s).

    Attributes:
        uri: An absolute path on a disk, else as given, without a slash at its end.

    Raises:
        StorageError: There is no such kind of storage.
    """

    def __init__(self, uri: str, otherwise: str = ELSEWHERE, patience: float = 0.0) -> None:
        self._otherwise = otherwise
        self._patience = patience
        scheme, _, place = uri.partition("://")
        keys, at, _ = place.partition("/")[0].rpartition("@")
        is_nobody = keys == "anonymous" and scheme in ("gs", "gcs")
        if at and not is_nobody:  # they would be told in messages, logs and job lists
            repair = _KEYS.get(scheme, "leave them out")
            raise StorageError(f"storage '{scheme}://...': keys do not belong into a URI; {repair}")
        self.uri = join(uri) if "://" in uri else str(Path(uri).resolve())
        try:
            self._filesystem, self._root = fs.FileSystem.from_uri(self.uri)
        except (OSError, ValueError) as error:
            raise StorageError(f"cannot use storage '{uri}': {error}; {otherwise}") from error
        if self.local_path is not None:
            self._root = self.uri = str(self.local_path.resolve())

    @property
    def local_path(self) -> Path | None:
        """The folder on this machine's disk; ``None`` where it is elsewhere."""
        return Path(self._root) if isinstance(self._filesystem, fs.LocalFileSystem) else None

    def read(self, path: str) -> bytes | None:
        """Reads a whole file; ``None`` where there is none.

        Raises:
            StorageError: It is there and cannot be read.
        """

        def access() -> bytes | None:
            try:
                with self._filesystem.open_input_stream(self._full(path)) as stream:
                    content: bytes = stream.read()
            except (FileNotFoundError, NotADirectoryError):  # the latter where a file is named as the folder
                return None
            return content

        return self._try("read", path, access)

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
        full = self._full(path)

        def access() -> None:
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

        self._try("write", path, access)

    def _write_stream(self, full: str, content: bytes) -> None:
        with self._filesystem.open_output_stream(full) as stream:
            stream.write(content)

    def exists(self, path: str) -> bool:
        """Whether a file is there."""
        full = self._full(path)
        return self._try("read", path, lambda: bool(self._filesystem.get_file_info(full).type == fs.FileType.File))

    def names(self, folder: str = "") -> list[str]:
        """Names of files and folders directly in a folder, sorted; none where there is no such folder."""
        if self._filesystem.type_name == "gcs":  # of which pyarrow lists no folders but those that were made as such
            return sorted({path.split("/")[0] for path in self.files(folder)})
        return sorted(str(info.base_name) for info in self._list(folder, recursive=False))

    def files(self, folder: str) -> set[str]:
        """Paths of all files below a folder, relative to it; one request, however many there are."""
        prefix = len(self._full(folder)) + 1
        found = self._list(folder, recursive=True)
        return {str(info.path)[prefix:] for info in found if info.type == fs.FileType.File}

    def _list(self, folder: str, *, recursive: bool) -> list[fs.FileInfo]:
        selector = fs.FileSelector(self._full(folder), allow_not_found=True, recursive=recursive)
        return self._try("read", folder, lambda: list(self._filesystem.get_file_info(selector)))

    def delete(self, path: str) -> None:
        """Deletes a file if it is there."""
        self._delete(path, self._filesystem.delete_file)

    def delete_folder(self, path: str) -> None:
        """Deletes a folder and all in it if it is there."""
        self._delete(path, self._filesystem.delete_dir)

    def delete_unfinished(self) -> None:
        """Deletes what those who were killed had begun to write; an object in a bucket is there when it is whole."""
        if self.local_path is not None:
            for path in self.files(""):
                if is_unfinished(path):
                    self.delete(path)

    def _delete(self, path: str, delete: Callable[[str], None]) -> None:
        def access() -> None:
            full = self._full(path)
            try:
                delete(full)
            except OSError:  # Google's storage has no exception of its own for what is not there
                if self._filesystem.get_file_info(full).type != fs.FileType.NotFound:
                    raise

        self._try("delete", path, access)

    def failure(self, action: str, path: str, error: OSError | pa.ArrowException) -> StorageError:
        """Says in one line that something could not be done, and what the user can do.

        Args:
            action: For example "write".
            path: Of the file or folder.
            error: What the system said.
        """
        reason = (getattr(error, "strerror", None) or str(error)).rpartition("] ")[2]  # pyarrow's messages are long
        return StorageError(
            f"cannot {action} '{join(self.uri, path)}': {reason}; free or unlock it, or {self._otherwise}"
        )

    def _full(self, path: str) -> str:
        return f"{self._root}/{path}".rstrip("/")

    def _try(self, action: str, path: str, access: Callable[[], Found]) -> Found:
        """Does what may fail, again where it may help.

        Raises:
            StorageError: It fails.
        """
        retrying = Retrying(
            retry=retry_if_exception(_may_pass),
            stop=stop_after_delay(self._patience),
            wait=wait_exponential_jitter(multiplier=_FIRST_WAIT, max=_LONGEST_WAIT),
            reraise=True,
        )
        try:
            return retrying(access)
        except (OSError, pa.ArrowException) as error:
            raise self.failure(action, path, error) from error


def is_unfinished(path: str) -> bool:
    """Whether a file is one of ours that was not written to its end."""
    return bool(_UNFINISHED.search(path))


def join(place: str, *names: str) -> str:
    """A folder or file in a folder.

    Args:
        place: A path or a URI; a slash at its end does not matter, and options after a question mark stay there.
        names: Of folders within each other.
    """
    if "://" not in place:
        return "/".join([place.rstrip("/"), *names])
    parts = urlsplit(place)
    return urlunsplit(parts._replace(path="/".join([parts.path.rstrip("/"), *names])))


def _may_pass(error: BaseException) -> bool:
    """Whether a fault of storage may pass by itself, unlike a full disk or a missing right."""
    return isinstance(error, OSError) and (error.errno in _PASSING or bool(_PASSING_WORDS.search(str(error))))
