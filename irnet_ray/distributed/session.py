"""A connection to Ray: a cluster of this machine alone, or one that is running."""

from __future__ import annotations

import logging
import os
import signal
import socket
import threading
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from typing import Any

import ray
import ray._private.utils
from ray.exceptions import AuthenticationError

from irnet_ray.distributed.resources import check_room
from irnet_ray.distributed.token import make_token, use_token
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
    "RAY_TRAIN_HEALTH_CHECK_INTERVAL_S": "0.2",  # also how often what workers report is fetched
    "RAY_TRAIN_ENABLE_PREEMPTION_WATCHER": "0",
    "RAY_TRAIN_METRICS_ENABLED": "0",
}

# The workers that Ray starts ahead import these while the data is being read, and are kept until then. It takes
# them some five seconds, a third of it for torch._dynamo, which torch's optimizers import at their first use.
_MODULES_OF_TRIALS = ("irnet_ray.distributed.run", "torch._dynamo", "torch.utils.tensorboard")
_MODULES_OF_FEATURES = ("irnet_ray.distributed.featurize",)
_IDLE_WORKERS_STAY_MS = 60_000
_REACH_SECONDS = 5.0
_OF_ITS_HEAD = "put the token that the cluster was started with into ~/.ray/auth_token"
_INTERRUPTS = (signal.SIGINT, signal.SIGTERM)

_OBJECT_STORE_FOR_FEATURES = 128 * 2**20  # bytes; results wait there until the driver takes them


@contextmanager
def session(address: str | None, trainer: Trainer, cores: int | None = None) -> Iterator[str | None]:
    """Connects to Ray and disconnects at the end.

    Args:
        address: Of a running cluster, such as ``auto`` or ``ray://host:10001``; ``None`` starts Ray here.
        trainer: What a trial needs, which the cluster must have.
        cores: How many of this machine's cores a Ray started here takes; all if not given.

    Returns:
        Why a trial has no room yet, in a cluster that grows.

    Raises:
        ConfigurationError: No cluster answers, or it is too small for one trial.
    """
    # Workers that train together are new processes, as are those that start them, which need none of the modules.
    modules = _MODULES_OF_TRIALS if trainer.workers == 1 else ()
    with _connection(address, modules, num_cpus=cores):
        yield check_room(trainer, may_grow=address is not None)


@contextmanager
def featurize_session(address: str | None, cores: int | None = None) -> Iterator[None]:
    """Connects to Ray for computing attributes, with little memory, and disconnects at the end.

    Args:
        address: Of a running cluster; ``None`` starts Ray here.
        cores: How many of this machine's cores a Ray started here takes; all if not given.

    Raises:
        ConfigurationError: No cluster answers.
    """
    memory = {} if address else {"object_store_memory": _OBJECT_STORE_FOR_FEATURES}
    with _connection(address, _MODULES_OF_FEATURES, num_cpus=cores, **memory):
        yield


@contextmanager
def _connection(address: str | None, modules: Sequence[str], **options: Any) -> Iterator[None]:
    """Connects unless somebody has, and then disconnects at the end."""
    configure_environment()
    if ray.is_initialized():
        yield
        return
    try:
        _connect(address, modules, **options)
        yield
    finally:
        ray.shutdown()


def configure_environment() -> None:
    """Sets what Ray reads from the environment, unless the user has set it."""
    for name, value in _ENVIRONMENT.items():
        os.environ.setdefault(name, value)


def _connect(address: str | None, modules: Sequence[str], **options: Any) -> None:
    ours = {
        "preload_python_modules": list(modules),
        "idle_worker_killing_time_threshold_ms": _IDLE_WORKERS_STAY_MS,
    }
    if address:
        _check_reachable(address)
        use_token()
    else:
        make_token()
    try:
        with _termination_kept(), nullcontext() if address else _interrupts_deferred(), warnings.catch_warnings():
            warnings.simplefilter("ignore", category=FutureWarning)
            ray.init(
                address=address or "local",
                _system_config=None if address else ours,
                include_dashboard=False if address is None else None,
                log_to_driver=False,
                logging_level=logging.ERROR,
                configure_logging=True,
                **options,
            )
    except AuthenticationError as error:
        raise ConfigurationError(
            f"--address '{address}': the cluster does not take this machine's token; {_OF_ITS_HEAD}"
        ) from error
    except (ConnectionError, RuntimeError, ValueError) as error:
        reason = str(error).splitlines()[0]
        if address:
            raise ConfigurationError(
                f"--address '{address}': cannot connect to Ray ({reason}); {_OF_ITS_HEAD}, or leave --address out"
            ) from error
        raise ConfigurationError(f"Ray cannot start on this machine ({reason}); --local works without Ray") from error
    for name in ("ray", "ray.data", "ray.train"):
        logging.getLogger(name).setLevel(logging.ERROR)
    logging.getLogger("ray.tune").setLevel(logging.CRITICAL)  # of failed trials our own lines tell


def _check_reachable(address: str) -> None:
    """Refuses an address at which nobody listens, which Ray would try for minutes.

    Raises:
        ConfigurationError: Names the address.
    """
    host, separator, port = address.removeprefix("ray://").rpartition(":")
    if not separator or not port.isdigit():
        return  # auto, or a name that Ray knows
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=_REACH_SECONDS).close()
    except OSError as error:
        raise ConfigurationError(
            f"--address '{address}': nobody answers there ({error}); start the cluster, or leave it out"
        ) from error


@contextmanager
def _interrupts_deferred() -> Iterator[None]:
    """Lets Ctrl-C and SIGTERM wait: amid the start of Ray they can leave a lock behind, for which all wait for ever."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    arrived: list[int] = []
    former = {each: signal.signal(each, lambda number, _: arrived.append(number)) for each in _INTERRUPTS}
    try:
        yield
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)
    if arrived:
        signal.raise_signal(arrived[0])


@contextmanager
def _termination_kept() -> Iterator[None]:
    """Keeps what SIGTERM does: Ray replaces it by something that ends the process with a stack."""
    former = ray._private.utils.set_sigterm_handler
    ray._private.utils.set_sigterm_handler = lambda handler: None
    try:
        yield
    finally:
        ray._private.utils.set_sigterm_handler = former
