"""What a search tries next, from what its run directory holds."""

from __future__ import annotations

import json
import shlex

import pandas as pd
import pytest
import yaml
from rich.console import Console

from irnet_ray.distributed.launch import run_study
from irnet_ray.errors import RunError
from irnet_ray.report.page import build_report
from irnet_ray.report.plan_text import plan_text
from irnet_ray.report.search_text import best_text
from irnet_ray.report.status_text import status_table
from irnet_ray.study import estimate
from irnet_ray.study.read import read_study
from irnet_ray.study.run_directory import RunDirectory
from irnet_ray.study.run_trials import samples_of, trials_of_run
from irnet_ray.study.sampling import OptunaSearch
from irnet_ray.study.search import Samples, best_sample, describe_values, draw_at_random
from irnet_ray.study.space import Search

RATE = "models.networks.recipe.learning_rate"
DEPTH = "models.networks.depth"


@pytest.fixture
def write_search(study_file):
    """Writes a search over the small study's networks."""
    content = yaml.safe_load(study_file.read_text())

    def write(space, samples=4, **search):
        content["models"] = {
            "networks": {"depth": 10, "shortcut": "layer", "width": 0.03, "recipe": {"epochs": 2, "batch_size": 32}}
        }
        content["search"] = {"algorithm": "random", "samples": samples, "space": space, **search}
        study_file.write_text(yaml.safe_dump(content, sort_keys=False))
        return study_file

    return write


@pytest.fixture
def search_file(write_search):
    return write_search({RATE: {"log_uniform": [1e-3, 1e-1]}, DEPTH: {"choice": [10, 17]}})


def search_here(study, uri, **options):
    run = RunDirectory(str(uri))
    return run, run_study(study, run, console=Console(quiet=True), local=True, **options)


def next_ids(study, run):
    """What would be done next, nothing ever ending."""
    samples, found = Samples(study, run), []
    while (trial := samples.next()) is not None:
        found.append(trial.id)
    return found


def test_random_samples_follow_from_the_seed(search_file, tmp_path):
    study = read_study(search_file)
    run, results = search_here(study, tmp_path / "one")
    assert len(results) == 4
    expected = [trial.id for trial in draw_at_random(study, 4)]
    assert [sample.trial.id for sample in samples_of(run, study)] == expected
    other = read_study(search_file, settings=["search.seed=1"])
    assert not {trial.id for trial in draw_at_random(other, 4)} & set(expected)


@pytest.mark.parametrize("algorithm", ["random", "optuna"])
def test_a_grown_search_trains_only_what_is_new(search_file, tmp_path, algorithm):
    algorithm = f"search.algorithm={algorithm}"
    fewer = read_study(search_file, settings=[algorithm, "search.samples=2"])
    run, before = search_here(fewer, tmp_path / "run")
    modified = {path: (tmp_path / "run" / "trials" / path).stat().st_mtime_ns for path in run.storage.files("trials")}
    study = read_study(search_file, settings=[algorithm])
    run, results = search_here(study, tmp_path / "run")
    assert results["trial_id"].tolist()[:2] == before["trial_id"].tolist()
    assert len(results) == 4
    assert all((tmp_path / "run" / "trials" / path).stat().st_mtime_ns == time for path, time in modified.items())
    assert [sample.number for sample in samples_of(run, study)] == [1, 2, 3, 4]


def test_an_interrupted_random_search_comes_to_the_same_samples(search_file, tmp_path):
    study = read_study(search_file)
    run = RunDirectory(str(tmp_path / "run"))
    run.claim(study)
    samples = Samples(study, run)
    begun = [samples.next().id for _ in range(3)]
    assert next_ids(study, run) == [trial.id for trial in draw_at_random(study, 4)]
    assert begun == next_ids(study, run)[:3]


def test_optuna_alone_in_one_process_repeats_itself(search_file, tmp_path):
    study = read_study(search_file, settings=["search.algorithm=optuna"])
    runs = [search_here(study, tmp_path / name)[0] for name in ("one", "two")]
    one, two = ([sample.values for sample in samples_of(run, study)] for run in runs)
    assert one == two


def test_optuna_learns_the_same_whoever_trained_it():
    """What ended in an earlier run is told to it, and leads it to the better values."""
    space = {"models.n.width": {"uniform": [0.0, 1.0]}, "models.n.depth": {"choice": [10, [17], {"a": 1}]}}
    search = Search.model_validate({"algorithm": "optuna", "samples": 50, "space": space})
    algorithm = OptunaSearch(search, 40)
    for step in range(40):
        width = step / 40
        algorithm.learn(
            {"models.n.width": width, "models.n.depth": [17]}, abs(width - 0.8), 5 if step % 3 == 0 else None
        )
    algorithm.learn({"models.n.width": 0.1, "models.n.depth": {"a": 1}}, None)
    proposed = [algorithm.propose() for _ in range(20)]
    assert sum(abs(values["models.n.width"] - 0.8) < 0.2 for values in proposed) >= 15
    assert all(values["models.n.depth"] in (10, [17], {"a": 1}) for values in proposed)
    assert len({values["models.n.width"] for values in (algorithm.propose(at_random=True) for _ in range(9))}) == 9


@pytest.mark.parametrize("algorithm", ["random", "optuna"])
def test_a_space_without_more_points_ends_the_search(write_search, tmp_path, algorithm):
    """Widths that differ too little make the same network."""
    width = {"models.networks.width": {"uniform": [0.0300, 0.0301]}}
    _, results = search_here(read_study(write_search(width, algorithm=algorithm)), tmp_path / "run")
    assert len(results) == 1


@pytest.mark.parametrize("algorithm", ["random", "optuna"])
def test_every_point_of_a_small_space_is_found(write_search, tmp_path, algorithm):
    space = {DEPTH: {"choice": [10, 17, 24]}, "models.networks.shortcut": {"choice": ["none", "layer"]}}
    study = read_study(write_search(space, samples=6, algorithm=algorithm))
    run = RunDirectory(str(tmp_path / "run"))
    run.claim(study)
    assert len(set(next_ids(study, run))) == 6


def test_what_a_grid_has_done_is_not_done_again(write_search, tmp_path):
    path = write_search({DEPTH: {"choice": [10, 17]}}, samples=2)
    _, before = search_here(read_study(path, settings=["search=null"]), tmp_path / "run")
    study, run = read_study(path), RunDirectory(str(tmp_path / "run"))
    (left,) = next_ids(study, run)
    assert {left, *before["trial_id"]} == {sample.trial.id for sample in samples_of(run, study)}


def test_a_failed_sample_is_tried_again_and_counts(search_file, tmp_path, monkeypatch):
    study = read_study(search_file)
    run = RunDirectory(str(tmp_path / "run"))
    run.claim(study)
    samples = Samples(study, run)
    trial = samples.next()
    run.fail(trial.id, "the loss is not finite")
    samples.end(trial.id)
    assert len([*iter(samples.next, None)]) == 3
    assert next_ids(study, run)[0] == trial.id


def test_samples_of_another_space_or_study_do_not_count(search_file, write_search, tmp_path):
    study = read_study(search_file)
    run, _ = search_here(study, tmp_path / "run")
    space = {key: each.model_dump() for key, each in study.search.space.items()}
    narrower = read_study(write_search({**space, RATE: {"log_uniform": [1e-3, 1e-2]}}))
    of_both = [sample.trial.id for sample in samples_of(run, study) if sample.values[RATE] <= 1e-2]
    assert 0 < len(of_both) < 4
    assert [sample.trial.id for sample in samples_of(run, narrower)] == of_both
    longer = read_study(search_file, settings=["models.networks.recipe.epochs=3"])
    assert samples_of(run, longer) == []
    with pytest.raises(RunError, match="belongs to another study"):
        search_here(longer, tmp_path / "run")


def test_force_starts_over(search_file, tmp_path):
    study = read_study(search_file)
    _, first = search_here(study, tmp_path / "run")
    other = read_study(search_file, settings=["search.seed=7"])
    _, second = search_here(other, tmp_path / "run", force=True)
    assert len(second) == 4
    assert not set(first["trial_id"]) & set(second["trial_id"])


def test_status_shows_what_was_drawn(search_file, tmp_path):
    study = read_study(search_file)
    run, results = search_here(study, tmp_path / "run")
    table = status_table(run)
    assert table["trial_id"].tolist() == results["trial_id"].tolist()
    values = {sample.trial.id: sample.values for sample in samples_of(run, study)}
    assert table["learning_rate"].tolist() == [values[each][RATE] for each in table["trial_id"]]
    assert table["state"].tolist() == ["done"] * 4
    assert trials_of_run(run) == [sample.trial for sample in samples_of(run, study)]


@pytest.mark.parametrize("algorithm", ["random", "optuna"])
def test_values_that_do_not_go_together_are_passed_over(write_search, tmp_path, algorithm):
    recipe = "models.networks.recipe"
    space = {f"{recipe}.keep": {"choice": ["best", "last"]}, f"{recipe}.patience": {"choice": [None, 1]}}
    study = read_study(write_search(space, samples=4, algorithm=algorithm))
    run, results = search_here(study, tmp_path / "run")
    drawn = {tuple(sample.values.values()) for sample in samples_of(run, study)}
    assert drawn == {("best", None), ("best", 1), ("last", None)}
    assert len(results) == 3
    assert len(draw_at_random(study, 4)) == 4


def test_the_best_sample_has_the_lowest_validation_error_and_runs_as_a_study(search_file, tmp_path):
    study = read_study(search_file)
    run, results = search_here(study, tmp_path / "run")
    best, error = best_sample(run, study)
    assert error == results["val_mae"].min()
    assert best.trial.id == results.loc[results["val_mae"].idxmin(), "trial_id"]
    text = best_text(run, study, [str(search_file), "--set", "skip_bad_rows=true"])
    assert f"validation MAE {error:.4f}, test MAE " in text
    _, _, path, *options = shlex.split(text.splitlines()[-1].removeprefix("as a study: "))
    (trial,) = read_study(search_file.parent / path, settings=options[1::2]).trials()
    assert trial.id == best.trial.id


def test_plan_tells_the_cost_of_a_sample(search_file, tmp_path):
    study = read_study(search_file)
    text = plan_text(study, RunDirectory(str(tmp_path / "run")), "table")
    assert RATE in text
    assert "random search: 4 samples, 0 done; one takes about" in text
    assert '"done": 0' in plan_text(study, RunDirectory(str(tmp_path / "run")), "json")


def test_classical_learning_of_a_search_takes_no_longer_than_its_limit(write_search, tmp_path, monkeypatch):
    monkeypatch.setattr(estimate, "seconds_a_work", lambda: 1.0)
    path = write_search({"models.machine.cost": {"log_uniform": [1.0, 10.0]}})
    content = yaml.safe_load(path.read_text())
    content |= {"models": {"machine": {"kind": "svm"}}, "trainer": {"limits": {"seconds": 7}}}
    path.write_text(yaml.safe_dump(content))
    plan = json.loads(plan_text(read_study(path), RunDirectory(str(tmp_path / "run")), "json"))
    assert plan["estimated_seconds_a_sample"] == 7


def test_samples_are_named_by_their_values(search_file):
    search = read_study(search_file).search
    names = [describe_values(search, {RATE: rate, DEPTH: 10}) for rate in (0.0123456, 0.05)]
    assert names == ["learning_rate 0.01235    depth 10", "learning_rate 0.05       depth 10"]


def test_the_report_of_a_search_begins_with_the_best_sample_whatever_failed(search_file, tmp_path):
    study = read_study(search_file)
    run, results = search_here(study, tmp_path / "run")
    failed = results.sort_values("val_mae")["trial_id"].iloc[1]
    run.storage.delete(f"trials/{failed}/DONE")
    build_report(run)
    errors = pd.read_csv(tmp_path / "run/report/tables/errors.csv")
    assert errors["val_mae"].tolist()[:3] == sorted(results.loc[results["trial_id"] != failed, "val_mae"])
    assert errors["seeds"].tolist() == [1, 1, 1, 0]
