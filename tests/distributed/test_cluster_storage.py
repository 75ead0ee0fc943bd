"""Where the runs of a cluster lie, by its file or by what the user wants."""

from __future__ import annotations

import pytest

from irnet_ray.distributed.cluster.storage import check_place, storage_on
from irnet_ray.errors import ConfigurationError, StorageError


def cluster_file(tmp_path, text):
    path = tmp_path / "cluster.yaml"
    path.write_text(text)
    return str(path)


def test_what_the_user_wants_comes_before_what_the_file_says(tmp_path):
    file = cluster_file(tmp_path, "metadata: {storage: /shared/runs}\n")
    assert storage_on(file, None) == "/shared/runs"
    assert storage_on(file, "/other") == "/other"
    assert storage_on("http://127.0.0.1:8265", "/other") == "/other"


@pytest.mark.parametrize("text", ["", "metadata: {}\n", "metadata: x\n", "metadata: {storage: s3://FILL-IN/runs}\n"])
def test_a_file_that_does_not_say_is_refused(tmp_path, text):
    with pytest.raises(ConfigurationError, match="does not say where runs lie"):
        storage_on(cluster_file(tmp_path, text), None)


def test_a_file_that_is_not_yaml_is_called_that(tmp_path):
    with pytest.raises(ConfigurationError, match=r"cluster\.yaml: is not YAML"):
        storage_on(cluster_file(tmp_path, "metadata: ["), None)


def test_places_must_mean_the_same_on_every_node():
    check_place("--reuse", "/shared/runs/a")
    with pytest.raises(ConfigurationError, match="--reuse 'runs/a': write a path of the cluster's nodes from its root"):
        check_place("--reuse", "runs/a")
    with pytest.raises(StorageError, match="cannot use storage 'moon://a'"):
        check_place("--storage", "moon://a")
