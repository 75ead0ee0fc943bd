"""Commands on clusters of several machines."""

from __future__ import annotations

import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from irnet_ray.cli.commands import BY_SIGNAL, Commands
from irnet_ray.cli.options import Style, format_option, skip_option, study_arguments
from irnet_ray.errors import ConfigurationError

if TYPE_CHECKING:
    from irnet_ray.distributed.cluster.jobs import Jobs


@click.group(cls=Commands)
def cluster() -> None:
    """Clusters of several machines."""


@cluster.command("check")
@click.argument("file", type=click.Path(path_type=Path))
def check_cluster(file: Path) -> None:
    """Say what is unfinished, unsafe, unpinned or costly in a file for ray up or KubeRay, offline."""
    from irnet_ray.distributed.cluster.check import check_cluster_file

    remarks = check_cluster_file(file)
    for remark in remarks:
        click.echo(str(remark))
    if remarks:
        raise ConfigurationError(f"{file}: {len(remarks)} to mend, see above")
    click.echo(f"{file}: complete, safe, pinned and thrifty, as far as can be told offline")


@cluster.command("guard")
@click.option("--behind-another-firewall", is_flag=True, help="Another one protects it; look for no rules.")
def guard_machine(*, behind_another_firewall: bool) -> None:
    """Refuse this machine if strangers could reach Ray on it; for the start commands of a cluster file."""
    from irnet_ray.distributed.cluster.guard import check_guarded

    if not behind_another_firewall:
        check_guarded()


_cluster_argument = click.argument("cluster_file", metavar="CLUSTER")
_job_argument = click.argument("job_id", metavar="JOB")


@cluster.command("jobs")
@_cluster_argument
@format_option
def list_jobs(cluster_file: str, style: Style) -> None:
    """List the studies that were sent to a cluster.

    CLUSTER is its file, or the address of a tunnel to its dashboard, such as http://127.0.0.1:8265.
    """
    from irnet_ray.distributed.cluster.jobs import jobs_of
    from irnet_ray.report.tables import format_table

    with jobs_of(cluster_file) as jobs:
        click.echo(format_table(jobs.table(), style))


@cluster.command("follow")
@_cluster_argument
@_job_argument
def follow_job(cluster_file: str, job_id: str) -> None:
    """Show what a study prints until it has ended; Ctrl-C leaves it running."""
    from irnet_ray.distributed.cluster.jobs import jobs_of

    with jobs_of(cluster_file) as jobs:
        _follow(jobs, cluster_file, job_id)


@cluster.command("stop")
@_cluster_argument
@_job_argument
def stop_job(cluster_file: str, job_id: str) -> None:
    """Stop a study; sent again, it goes on from what is kept."""
    from irnet_ray.distributed.cluster.jobs import jobs_of

    with jobs_of(cluster_file) as jobs:
        click.echo(f"{job_id}: {'stopping' if jobs.stop(job_id) else 'had ended'}")


@click.command()
@study_arguments
@click.option("--cluster", "cluster_file", required=True, metavar="CLUSTER", help="Its file, or http://127.0.0.1:PORT.")
@click.option("--storage", metavar="URI", help="Holds the runs; unless given, metadata.storage of the cluster's file.")
@skip_option
@click.option("--force", is_flag=True, help="Delete what an earlier run left, and start over.")
@click.option("--reuse", multiple=True, metavar="URI", help="Take over what this other run has done of the study.")
@click.option("--follow", is_flag=True, help="Show what it prints until it has ended.")
def submit(
    study_file: Path,
    profile: str | None,
    settings: tuple[str, ...],
    cluster_file: str,
    storage: str | None,
    skip_bad_rows: bool,
    force: bool,
    reuse: tuple[str, ...],
    follow: bool,
) -> None:
    """Send a study to a cluster, where it goes on when this machine is gone."""
    from irnet_ray.distributed.cluster.jobs import jobs_of
    from irnet_ray.distributed.cluster.storage import check_place, storage_on
    from irnet_ray.storage import join
    from irnet_ray.study.read import read_study

    also = ("skip_bad_rows=true",) if skip_bad_rows else ()
    study = read_study(study_file, profile, (*settings, *also))
    uri = storage_on(cluster_file, storage)
    options = ["--force"] if force else []
    for other in reuse:
        check_place("--reuse", other)
        options += ["--reuse", other]
    with jobs_of(cluster_file) as jobs:
        job_id = jobs.submit(study, uri, options)
        click.echo(f"{job_id}: sent; fills {join(uri, study.run_name)}")
        if follow:
            _follow(jobs, cluster_file, job_id)
        else:
            click.echo(f"watch it with 'irnet-ray cluster follow {cluster_file} {job_id}'")


def _follow(jobs: Jobs, cluster_file: str, job_id: str) -> None:
    """Shows what a job prints; Ctrl-C ends the showing alone."""
    try:
        jobs.follow(job_id, lambda text: click.echo(text, nl=False))
    except KeyboardInterrupt:
        click.echo(f"{job_id} goes on; 'irnet-ray cluster follow {cluster_file} {job_id}' shows it again", err=True)
        sys.exit(BY_SIGNAL + signal.SIGINT)
