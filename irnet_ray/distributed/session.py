"""A connection to Ray: a cluster of this machine alone, or one that is running."""

from __future__ import annotations

import logging
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import ray

from irnet_ray.errors import ConfigurationError
from irnet_ray.study.spec import Trainer

# Read by Ray when it starts: quieter and quicker, and Ctrl-C reaches us.
_ENVIRONMENT = {
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",
    "TUNE_DISABLE_SIGINT_HANDLER": "1",
    "TUNE_WARN_EXCESSIVE_EXPERIMENT_CHECKPOINT_SYNC_THRESHOLD_S": "0",
    "RAY_AIR_NEW_OUTPUT": "0",
    "RAY_USAGE_STATS_ENABLED": "0",
}

# The workers that Ray starts ahead import these while the data is being read, and are kept until then. It takes
# them some five seconds, a third of it for torch._dynamo, which torch's optimizers import at their first use.
_CLUSTER = {
    "preload_python_modules": ["irnet_ray.distributed.run", "torch._dynamo", "torch.utils.tensorboard"],
    "idle_worker_killing_time_threshold_ms": 60_000,
}


@contextmanager
def session(address: str | None, trainer: Trainer, cores: int | None = None) -> Iterator[None]:
    """Connects to Ray and disconnects at the end.

    Args:
        address: Of a running cluster, such as ``auto`` or ``ray://host:10001``; ``None`` starts Ray here.
        trainer: What a trial needs, which the cluster must have.
        cores: How many of this machine's cores a Ray started here takes; all if not given.

    Raises:
        ConfigurationError: No cluster answers, or it is too small for one trial.
    """
    for name, value in _ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    already_connected = ray.is_initialized()
    if not already_connected:
        _connect(address, cores)
    try:
        _check_resources(trainer)
        yield
    finally:
        if not already_connected:
            ray.shutdown()


def _connect(address: str | None, cores: int | None) -> None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", category=FutureWarning)
            ray.init(
                address=address or "local",
                num_cpus=cores,
                _system_config=None if address else _CLUSTER,
                include_dashboard=False if address is None else None,
                log_to_driver=False,
                logging_level=logging.ERROR,
                configure_logging=True,
            )
    except (ConnectionError, RuntimeError, ValueError) as error:
        reason = str(error).splitlines()[0]
        what = f"--address '{address}': cannot connect to Ray" if address else "Ray cannot start on this machine"
        raise ConfigurationError(f"{what} ({reason}); --local works without Ray") from error
    _protect_token()
    for name in ("ray", "ray.data", "ray.tune", "ray.train"):
        logging.getLogger(name).setLevel(logging.ERROR)


def _protect_token() -> None:
    """Takes away the others' right to read the token that Ray 2.60 writes on its own."""
    token = Path("~/.ray/auth_token").expanduser()
    if token.exists() and token.stat().st_mode & 0o077:
        token.chmod(0o600)


def _check_resources(trainer: Trainer) -> None:
    resources = ray.cluster_resources()
    for name, wanted in (("CPU", trainer.cpus), ("GPU", trainer.gpus)):
        available = resources.get(name, 0)
        if wanted > available:
            raise ConfigurationError(
                f"trainer.{name.lower()}s: a trial asks for {wanted} {name}, the cluster has {available:g}; lower it"
            )


def slots(trainer: Trainer) -> int:
    """How many trials run at a time on the connected cluster."""
    resources = ray.cluster_resources()
    counts = [int(resources.get("CPU", 1) // trainer.cpus)]
    if trainer.gpus:
        counts.append(int(resources.get("GPU", 0) // trainer.gpus))
    return max(1, min(counts))
