"""An S3 server on this machine, which can be away for a while."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from moto.server import DomainDispatcherApplication, create_backend_app
from pyarrow import fs
from werkzeug.serving import make_server


class BucketServer:
    """A server with one bucket; buckets outlive its being down.

    Attributes:
        uri: Of the bucket.
    """

    uri = "s3://bucket"

    def __init__(self) -> None:
        logging.getLogger("werkzeug").setLevel(logging.ERROR)
        self._start(0)

    def _start(self, port: int) -> None:
        application = DomainDispatcherApplication(create_backend_app)
        self._server = make_server("127.0.0.1", port, application, threaded=True)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def _stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    @contextmanager
    def down_for(self, seconds: float) -> Iterator[None]:
        """Answers nobody for so long from now; leaves when it answers again."""
        self._stop()
        restart = threading.Timer(seconds, self._start, [self._server.server_port])
        restart.start()
        try:
            yield
        finally:
            restart.join()

    @contextmanager
    def serving(self) -> Iterator[BucketServer]:
        """Makes the bucket, and lets every client of this process and its children find it."""
        with pytest.MonkeyPatch.context() as environment:
            environment.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{self._server.server_port}")
            environment.setenv("AWS_ACCESS_KEY_ID", "anybody")
            environment.setenv("AWS_SECRET_ACCESS_KEY", "anything")
            environment.setenv("AWS_DEFAULT_REGION", "us-east-1")
            maker, name = fs.FileSystem.from_uri(f"{self.uri}?allow_bucket_creation=true")
            maker.create_dir(name)
            yield self
        self._stop()
