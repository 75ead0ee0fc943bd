"""A study: a file that declares a grid of trials, with profiles that scale it, or a search."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, ValidationError, model_validator

from irnet_ray.config import Axis, Config, describe, validate
from irnet_ray.data.load import OwnTable
from irnet_ray.data.split import SplitPlan
from irnet_ray.errors import suggestion
from irnet_ray.model.baselines.limits import Limits
from irnet_ray.study.blocks import DataBlock, ModelBlock, NetworkBlock, with_kind
from irnet_ray.study.space import EarlyStopping, Search, Seed, Values, fill_missing, set_values
from irnet_ray.study.trial import NetworkModel, Trial

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]  # part of a path


class Trainer(Config):
    """What a trial is given to run on.

    Attributes:
        workers: Processes that train one network together; classical learning takes one.
        cpus_per_worker: Processor cores, and threads, of each.
        gpus_per_worker: 0, or 1 to train on GPUs.
        synchronized_batch_norm: Whether batch norm takes its statistics over the batches of all workers.
        bfloat16: Whether matrix products are computed in it, for GPUs and processors that have it in hardware (such
            as AVX512-BF16); weights stay in float32.
        compiled: Whether torch compiles the network into CUDA graphs, on GPUs.
        checkpoint_seconds: Least time between two checkpoints of a trial, which are written after an epoch (s).
        restarts: How often a trial whose process died goes on from its checkpoint before it counts as failed.
        trials_at_once: How many trials run at a time, at most; unless given, as many as the cluster has room for when
            the study starts. A cluster that grows with its work grows until so many have room.
        limits: What classical learning may take before it is cut off.
    """

    workers: int = Field(default=1, ge=1, le=128)
    cpus_per_worker: int = Field(default=1, ge=1)
    gpus_per_worker: int = Field(default=0, ge=0, le=1)
    synchronized_batch_norm: bool = False
    bfloat16: bool = False
    compiled: bool = False
    checkpoint_seconds: float = Field(default=30.0, ge=0)
    restarts: int = Field(default=2, ge=0)
    trials_at_once: int | None = Field(default=None, ge=1)
    limits: Limits = Limits()

    @model_validator(mode="after")
    def _gpus_for_what_needs_them(self) -> Trainer:
        if self.compiled and not self.gpus_per_worker:
            raise ValueError("'compiled' is for GPUs; set gpus_per_worker to 1, or leave it out")
        return self

    def differences(self, other: Trainer) -> dict[str, Any]:
        """Settings with which a network comes to other results, and their values here; none if they are the same."""
        keys = ("workers", "bfloat16", *(("synchronized_batch_norm",) if self.workers > 1 else ()))
        return {key: getattr(self, key) for key in keys if getattr(self, key) != getattr(other, key)}

    @property
    def cpus(self) -> int:
        """Cores of a trial."""
        return self.workers * self.cpus_per_worker

    @property
    def gpus(self) -> int:
        """GPUs of a trial."""
        return self.workers * self.gpus_per_worker


_OF_SAMPLES_ONLY = {"search", "early_stopping"}  # what a study of one sample does not have


class Study(Config):
    """A grid of trials: every data block with every model with every seed; or a search for the best trial.

    Attributes:
        name: Names the run directory.
        description: For people.
        profile: The profile that was applied, if any.
        data: What is predicted from what.
        split: How rows are divided.
        models: Blocks of models by names of one's own.
        seeds: Of the models.
        trainer: What each trial runs on.
        early_stopping: When poor trials end before their time, if they do.
        search: Which values to try, in place of a grid.
        skip_bad_rows: Whether rows with unreadable formulas are dropped, rather than refused.
    """

    name: Name
    description: str = ""
    profile: Name | None = None
    data: Axis[DataBlock]
    split: SplitPlan = SplitPlan()
    models: dict[str, Annotated[ModelBlock, Field(discriminator="kind"), BeforeValidator(with_kind)]] = Field(
        min_length=1
    )
    seeds: Axis[Seed] = (0,)
    trainer: Trainer = Trainer()
    early_stopping: EarlyStopping | None = None
    search: Search | None = None
    skip_bad_rows: bool = False

    @model_validator(mode="before")
    @classmethod
    def _leave_keys_to_the_search(cls, given: Any) -> Any:
        """Lets a study leave out the keys that its search sets."""
        search = given.get("search") if isinstance(given, Mapping) else None
        if not isinstance(search, Mapping):
            return given
        try:
            typical = Search.model_validate(search).typical
        except ValidationError:  # is told where the field is checked
            return given
        filled = fill_missing(given, typical)
        if filled != given:
            _check_filled({key: filled[key] for key in filled if key not in _OF_SAMPLES_ONLY}, typical)
        return filled

    @model_validator(mode="after")
    def _data_name_models(self) -> Study:
        for block in self.data:
            for name in block.models or ():
                if name not in self.models:
                    raise ValueError(f"data.models: there is no block '{name}'{suggestion(name, self.models)}")
        used = {name for block in self.data for name in block.models or self.models}
        if unused := [name for name in self.models if name not in used]:
            raise ValueError(f"models.{unused[0]}: no block of data names it; add it to data.models, or leave it out")
        return self

    @model_validator(mode="after")
    def _data_have_names_of_their_own(self) -> Study:
        tables: dict[tuple[str, str], OwnTable | None] = {}
        for matrix in (matrix for block in self.data for matrix in block.matrices()):
            if tables.setdefault((matrix.dataset, matrix.property), matrix.own_table) != matrix.own_table:
                raise ValueError(
                    f"data.dataset: '{matrix.dataset}' is the name of two different ones, whose errors reports would "
                    "mix; set 'name' of one's own table to another"
                )
        return self

    @model_validator(mode="after")
    def _validation_may_choose(self) -> Study:
        for name, chooses in (("search", self.search), ("early_stopping", self.early_stopping)):
            by_what = f"{name}: chooses by the validation rows, which"
            if chooses is not None and self.split.train_on_validation:
                raise ValueError(f"{by_what} split.train_on_validation trains on")
            if chooses is not None and self.split.validation_is_test:
                raise ValueError(f"{by_what} protocol 'paper' tests on; take 'holdout'")
        return self

    @model_validator(mode="after")
    def _validation_keeps_nothing(self) -> Study:
        if not self.split.train_on_validation:
            return self
        baselines = 0
        for name, block in self.models.items():
            for recipe in block.recipe if isinstance(block, NetworkBlock) else ():
                if recipe.keep == "best":
                    raise ValueError(
                        f"models.{name}.recipe.keep: would choose the epoch by the validation rows, which "
                        "split.train_on_validation trains on; set it to last"
                    )
            baselines += 0 if isinstance(block, NetworkBlock) else len(list(block.models()))
            if baselines > 1:
                raise ValueError(
                    f"models.{name}: validation rows choose among baselines and their settings, but "
                    "split.train_on_validation trains on them; name one baseline with one value of each setting"
                )
        return self

    @model_validator(mode="after")
    def _search_leads_to_trials(self) -> Study:
        if self.search is None:
            return self
        for values in [*self._probe_values(), *self._data_values()]:
            self._check_sample({**self.search.typical, **values})
        return self

    @model_validator(mode="after")
    def _some_trial_can_end_early(self) -> Study:
        if self.early_stopping is None:
            return self
        trials = self.trials() if self.search is None else self._probes()
        epochs = [each.model.recipe.epochs for each in trials if isinstance(each.model, NetworkModel)]
        if not any(self.early_stopping.rungs(each) for each in epochs):
            raise ValueError(
                f"early_stopping.grace_epochs: no network trains for more than {self.early_stopping.grace_epochs} "
                "epochs, so that none could end early; lower it, or leave out early_stopping"
            )
        return self

    @property
    def run_name(self) -> str:
        """Name of the run directory: the study's, and the profile's where one was asked for."""
        return f"{self.name}-{self.profile}" if self.profile else self.name

    def trials(self) -> list[Trial]:
        """Expands the grid, each trial once, in the order in which the study lists the axes.

        Of a study with a search this is the one trial that the file's own values make; see ``sample``.
        """
        models = {name: list(block.models()) for name, block in self.models.items()}
        trials = [
            Trial(
                matrix=matrix,
                split=self.split,
                train_size=None if train_size == "all" else train_size,
                seed=seed if model.is_random else 0,
                model=model,
            )
            for block in self.data
            for matrix in block.matrices()
            for train_size in block.train_size
            for name in (block.models or self.models)
            for model in models[name]
            for seed in (self.models[name].seeds or self.seeds)
        ]
        return list({trial.id: trial for trial in trials}.values())

    def sample(self, values: Values) -> Trial:
        """The trial that a search's values make.

        Raises:
            ConfigurationError: They do not go together.
        """
        (trial,) = validate(Study, self._content_with(values), "search.space").trials()
        return trial

    def trials_of_all_data(self) -> list[Trial]:
        """One trial for each combination of the data that the search may choose."""
        assert self.search is not None
        return [self.sample({**self.search.typical, **values}) for values in self._data_values()]

    def _probe_values(self) -> Iterator[Values]:
        """The ends of each distribution, or its choices."""
        assert self.search is not None
        for key, distribution in self.search.space.items():
            yield from ({key: value} for value in distribution.probes())

    def _probes(self) -> list[Trial]:
        """Trials that the search could draw: one of its values differs from the typical ones."""
        assert self.search is not None
        return [self.sample({**self.search.typical, **values}) for values in self._probe_values()]

    def _data_values(self) -> Iterator[Values]:
        assert self.search is not None
        choices = self.search.data_choices
        for values in itertools.product(*choices.values()):
            yield dict(zip(choices, values, strict=True))

    def _content_with(self, values: Values) -> dict[str, Any]:
        content = self.model_dump(mode="json", exclude=_OF_SAMPLES_ONLY)
        set_values(content, values)
        return content

    def _check_sample(self, values: Values) -> None:
        """Refuses values that the study does not take, and studies of which a sample would be several trials."""
        content = self._content_with(values)
        try:
            study = Study.model_validate(content)
        except ValidationError as error:
            raise ValueError(f"search.space: {describe(error, content)}") from error
        for axis, length in study._axes():
            if length > 1:
                raise ValueError(f"{axis}: has {length} values, but a sample of a search is one trial; name one value")

    def _axes(self) -> Iterator[tuple[str, int]]:
        """The axes of the grid and the number of their values."""
        yield from (("data", len(self.data)), ("models", len(self.models)), ("seeds", len(self.seeds)))
        blocks = {"data": self.data[0], **{f"models.{name}": block for name, block in self.models.items()}}
        for name, block in blocks.items():
            yield from ((f"{name}.{field}", len(value)) for field, value in block if isinstance(value, tuple))
        yield from ((f"models.{name}", len(list(block.models()))) for name, block in self.models.items())


def _check_filled(content: dict[str, Any], values: Values) -> None:
    """Names what a study leaves to its search where just that is wrong."""
    try:
        Study.model_validate(content)
    except ValidationError as error:
        message = describe(error, content)
        if message.startswith(tuple(values)):
            raise ValueError(f"search.space: {message}") from error
