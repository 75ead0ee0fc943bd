"""ASHA ends poor trials, compares only what can be compared, and leaves their end to the trials."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import ray
from rich.console import Console

from irnet_ray.distributed.assignment import to_config
from irnet_ray.distributed.early_stopping import AshaOfEachGroup, start_decisions
from irnet_ray.distributed.launch import run_study
from irnet_ray.errors import ConfigurationError
from irnet_ray.model.history import Epoch
from irnet_ray.report.page import build_report
from irnet_ray.report.plan_text import plan_text
from irnet_ray.report.status_text import status_table
from irnet_ray.study.read import read_study
from irnet_ray.study.run_directory import RunDirectory
from irnet_ray.study.space import EarlyStopping

SETTINGS = EarlyStopping(algorithm="asha", grace_epochs=2, reduction_factor=2)
GOOD = "{base: fast, epochs: 5, batch_size: 16}"
BAD = "{base: fast, epochs: 5, batch_size: 150, learning_rate: 1.0e-12}"


def settings_of(*recipes):
    return [
        f"models={{networks: {{depth: 10, shortcut: layer, width: 0.03, recipe: [{', '.join(recipes)}]}}}}",
        "early_stopping={algorithm: asha, grace_epochs: 2, reduction_factor: 2}",
    ]


ONE_IS_BAD = settings_of(GOOD, BAD)


def run_good_first(study_file, run, *settings):
    """Runs both, one after the other, as the first to reach a rung is never stopped there."""
    for recipes in ((GOOD,), (GOOD, BAD)):
        study = read_study(study_file, settings=[*settings_of(*recipes), *settings])
        results = run_study(study, run, console=Console(quiet=True))
    return study, results


class Reported:
    """Trials as a scheduler sees them, and what it tells them."""

    def __init__(self, settings=SETTINGS):
        self.told = {}
        decide = SimpleNamespace(remote=lambda trial_id, epoch, stop: self.told.update({(trial_id, epoch): stop}))
        self.scheduler = AshaOfEachGroup(settings, SimpleNamespace(decide=decide))

    def report(self, trial, epoch, error):
        """What Tune is told and what the trial is, of a report."""
        seen = SimpleNamespace(trial_id=trial.id, config=to_config(trial))
        if not any(trial_id == trial.id for trial_id, _ in self.told):
            self.scheduler.on_trial_add(None, seen)
        action = self.scheduler.on_trial_result(None, seen, {"epoch": Epoch(epoch, epoch, 1e-3, error, error, 1.0)})
        return action, self.told.get((trial.id, epoch))


@pytest.fixture
def trials(study_file):
    """By training size, seed and number of epochs."""
    recipes = "models.networks.recipe=[{base: fast, epochs: 9}, {base: fast, epochs: 20}]"
    study = read_study(study_file, settings=["data.train_size=[100, 150]", "seeds=[0, 1, 2, 3]", recipes])
    networks = [trial for trial in study.trials() if trial.architecture and trial.architecture.shortcut == "layer"]
    return {(trial.train_size, trial.seed, trial.model.recipe.epochs): trial for trial in networks}


@pytest.mark.parametrize(("epochs", "expected"), [(2, set()), (3, {2}), (4, {2}), (9, {2, 4, 8}), (8, {2, 4})])
def test_rungs_grow_by_the_factor_and_leave_out_the_last_epoch(epochs, expected):
    assert SETTINGS.rungs(epochs) == expected


def test_the_worse_is_told_to_stop_and_tune_that_it_goes_on(trials):
    reported = Reported()
    assert reported.report(trials[100, 0, 9], 2, 0.1) == ("CONTINUE", False)
    assert reported.report(trials[100, 1, 9], 2, 0.5) == ("CONTINUE", True)
    assert reported.report(trials[100, 2, 9], 2, 0.05) == ("CONTINUE", False)
    assert reported.report(trials[100, 2, 9], 3, 9.9) == ("CONTINUE", None)
    assert reported.report(trials[100, 0, 9], 4, 0.1) == ("CONTINUE", False)
    assert reported.report(trials[100, 2, 9], 4, 0.2) == ("CONTINUE", True)


def test_trials_of_other_sizes_or_epochs_do_not_compare(trials):
    reported = Reported()
    reported.report(trials[150, 0, 9], 2, 0.1)
    assert reported.report(trials[100, 0, 9], 2, 0.9) == ("CONTINUE", False)
    assert reported.report(trials[150, 0, 20], 2, 0.9) == ("CONTINUE", False)
    assert reported.report(trials[150, 1, 9], 2, 0.9) == ("CONTINUE", True)


def test_representations_and_architectures_compare(study_file):
    settings = ["data.representation=[composition, fractions]", "models.networks.recipe.epochs=9"]
    plain, irnet, _, other, *_ = read_study(study_file, settings=settings).trials()
    reported = Reported()
    reported.report(plain, 2, 0.1)
    assert reported.report(irnet, 2, 0.2)[1]
    assert reported.report(other, 2, 0.3)[1]


def test_forests_are_left_alone(study_file):
    forest = read_study(study_file).trials()[-1]
    scheduler = AshaOfEachGroup(SETTINGS, None)
    seen = SimpleNamespace(trial_id=forest.id, config=to_config(forest))
    scheduler.on_trial_add(None, seen)
    assert scheduler.on_trial_result(None, seen, {"result": {}, "stopped": None}) == "CONTINUE"


def test_trials_of_an_earlier_run_count(trials, tmp_path):
    run, reported = RunDirectory(str(tmp_path / "run")), Reported()
    run.write_history(trials[100, 0, 9].id, [Epoch(n, n, 1e-3, 0.1, 0.1, 1.0) for n in (1, 2, 3)])
    reported.scheduler.learn(run, [trials[100, 0, 9]])
    assert reported.report(trials[100, 1, 9], 2, 0.5) == ("CONTINUE", True)


@pytest.mark.ray
@pytest.mark.usefixtures("ray_session")
def test_a_trial_that_asks_early_waits_for_the_decision():
    decisions = start_decisions()
    asked = decisions.should_stop.remote("a", 2)
    ray.get(decisions.decide.remote("a", 4, stop=False))
    assert ray.wait([asked], timeout=0.2)[0] == []
    ray.get(decisions.decide.remote("a", 2, stop=True))
    assert ray.get(asked)
    assert not ray.get(decisions.should_stop.remote("a", 4))


@pytest.mark.ray
@pytest.mark.usefixtures("ray_session")
@pytest.mark.parametrize("workers", [1, 2])
def test_a_poor_trial_is_stopped_at_a_rung_and_not_trained_again(study_file, tmp_path, workers):
    run = RunDirectory(str(tmp_path / "run"))
    study, results = run_good_first(study_file, run, f"trainer.workers={workers}")
    bad = study.trials()[1]
    assert run.stopped().keys() == {bad.id}
    assert run.finished() == set(results["trial_id"]) == {trial.id for trial in study.trials()} - {bad.id}
    assert set(results["epochs"].dropna()) == {5}
    rung = len(run.history(bad.id))
    assert rung in (2, 4)
    assert run.stopped()[bad.id].startswith(f"stopped by ASHA after epoch {rung} of 5, validation MAE ")
    states = status_table(run).set_index("trial_id")
    assert states.loc[bad.id, ["state", "epoch", "epochs_planned"]].tolist() == ["stopped", rung, 5]
    assert states.loc[bad.id, "val_mae"] == pytest.approx(run.history(bad.id)["val_mae"].min())
    build_report(run)
    assert f"stopped by ASHA after epoch {rung} of 5" in run.storage.read("report/index.html").decode()
    before = run.storage.files("trials")
    run_study(study, run, console=Console(quiet=True))
    assert run.storage.files("trials") == before
    assert "to do" not in plan_text(study, run, "table")


@pytest.mark.ray
@pytest.mark.usefixtures("ray_session")
def test_without_early_stopping_a_stopped_trial_is_trained_after_all(study_file, tmp_path):
    run = RunDirectory(str(tmp_path / "run"))
    run_good_first(study_file, run)
    (stopped,) = run.stopped()
    after_all = read_study(study_file, settings=[*ONE_IS_BAD, "early_stopping=null"])
    assert plan_text(after_all, run, "table").count("to do") == 1
    results = run_study(after_all, run, console=Console(quiet=True), local=True)
    assert results.set_index("trial_id").loc[stopped, "epochs"] == 5
    assert run.stopped() == {}


def test_one_process_refuses_it(study_file, tmp_path):
    study = read_study(study_file, settings=ONE_IS_BAD)
    with pytest.raises(ConfigurationError, match="leave out --local"):
        run_study(study, RunDirectory(str(tmp_path / "run")), console=Console(quiet=True), local=True)
