"""Studies as jobs of a cluster, which go on when whoever sent them is gone."""

from __future__ import annotations

import asyncio
import datetime
import logging
import secrets
import shlex
import tempfile
import textwrap
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pandas as pd
import requests
from ray.exceptions import AuthenticationError
from ray.job_submission import JobStatus, JobSubmissionClient
from tenacity import Retrying, retry_if_exception_message, stop_after_delay, wait_fixed

from irnet_ray.distributed.cluster.package import STUDY, pack
from irnet_ray.distributed.cluster.reach import reach
from irnet_ray.distributed.token import use_token
from irnet_ray.errors import ConfigurationError, RunError
from irnet_ray.storage import join
from irnet_ray.study.spec import Study

_TALKATIVE = (
    "ray._private.runtime_env.packaging",
    "ray.dashboard.modules.dashboard_sdk",
    "ray.dashboard.modules.job.sdk",
)
_START_SECONDS = 60.0
_LONGEST_LINE = 200

COLUMNS = ("id", "status", "storage", "begun", "ended", "message")


class Jobs:
    """The jobs of one cluster.

    Args:
        client: Connected to its dashboard.
    """

    def __init__(self, client: JobSubmissionClient) -> None:
        self._client = client

    def submit(self, study: Study, storage: str, options: Sequence[str] = ()) -> str:
        """Sends a study, whose driver runs on the head node.

        Args:
            study: With profile and settings applied.
            storage: Parent of the run directory, which every node of the cluster can reach.
            options: Of ``irnet-ray run`` besides.

        Returns:
            The job's id, which begins with the run's name.
        """
        command = ["python", "-m", "irnet_ray", "run", STUDY, "--address", "auto", "--storage", storage, *options]
        moment = datetime.datetime.now(datetime.UTC).strftime("%m%d-%H%M%S")
        name = f"{study.run_name}-{moment}-{secrets.token_hex(2)}"
        with tempfile.TemporaryDirectory(prefix="irnet-ray-job-") as folder:
            pack(study, Path(folder))
            return _once_started(
                self._client.submit_job,
                entrypoint=shlex.join(command),
                submission_id=name,
                runtime_env={"working_dir": folder},
                metadata={"run": join(storage, study.run_name)},
            )

    def table(self) -> pd.DataFrame:
        """All studies that were sent, the newest first, columns as in ``COLUMNS``."""
        jobs = [job for job in self._client.list_jobs() if job.submission_id and job.metadata]
        rows = [
            (
                job.submission_id,
                str(job.status.value).lower(),
                (job.metadata or {}).get("run", ""),
                _moment(job.start_time),
                _moment(job.end_time),
                _last_line(job.message) if job.status == JobStatus.FAILED else "",
            )
            for job in sorted(jobs, key=lambda job: job.start_time or 0, reverse=True)
        ]
        return pd.DataFrame(rows, columns=list(COLUMNS))

    def follow(self, job_id: str, show: Callable[[str], None]) -> None:
        """Shows what a study prints until it has ended.

        Raises:
            RunError: It failed or was stopped, or can no longer be followed.
        """

        async def tail() -> None:
            async for text in self._client.tail_job_logs(job_id):
                show(text)

        self._check(job_id)
        asyncio.run(tail())
        status = self._client.get_job_status(job_id)
        if not status.is_terminal():
            raise RunError(f"job {job_id} goes on, but what it prints no longer comes; follow it again")
        if status != JobStatus.SUCCEEDED:
            how = "failed" if status == JobStatus.FAILED else "was stopped"
            raise RunError(f"job {job_id} {how}, see above; sent again, the study goes on from what is kept")

    def stop(self, job_id: str) -> bool:
        """Lets a study end as Ctrl-C does; gives whether it was running."""
        self._check(job_id)
        return bool(self._client.stop_job(job_id))

    def _check(self, job_id: str) -> None:
        known = [str(job.submission_id) for job in self._client.list_jobs() if job.submission_id]
        if job_id not in known:
            raise ConfigurationError(f"the cluster knows no job '{job_id}'; 'irnet-ray cluster jobs' lists them")


@contextmanager
def jobs_of(cluster: str) -> Iterator[Jobs]:
    """Reaches a cluster's jobs.

    Args:
        cluster: As ``reach`` takes it.

    Raises:
        ConfigurationError: It does not answer, or not to this user.
    """
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(logging.ERROR)
    use_token()
    with reach(cluster) as address:
        try:
            yield Jobs(JobSubmissionClient(address))
        except AuthenticationError as error:
            raise ConfigurationError(
                f"'{cluster}': the cluster does not take this machine's token; "
                "put the one it was started with into ~/.ray/auth_token"
            ) from error
        except (ConnectionError, aiohttp.ClientError, requests.RequestException) as error:
            reason = _last_line(str(error))
            raise ConfigurationError(f"'{cluster}': the cluster does not answer ({reason}); is it up?") from error
        except RuntimeError as error:
            raise ConfigurationError(f"'{cluster}': the cluster refuses ({_last_line(str(error))})") from error


def _once_started(send: Callable[..., str], **job: Any) -> str:
    """Sends a job; the part of a head that takes them starts some seconds after the rest."""
    patient = Retrying(
        retry=retry_if_exception_message(match=".*No available agent"),
        stop=stop_after_delay(_START_SECONDS),
        wait=wait_fixed(1.0),
        reraise=True,
    )
    return str(patient(send, **job))


def _last_line(text: str | None) -> str:
    """What a message ends with, as it begins with a stack; shortened."""
    lines = [line.strip() for line in (text or "").splitlines() if line.strip()]
    return textwrap.shorten(lines[-1], _LONGEST_LINE) if lines else ""


def _moment(milliseconds: int | None) -> str:
    if not milliseconds:
        return ""
    return datetime.datetime.fromtimestamp(milliseconds / 1000, datetime.UTC).strftime("%Y-%m-%d %H:%M:%S")
