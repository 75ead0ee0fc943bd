import numpy as np
import pytest
import torch
from worker_group import IRNET, made

from irnet_ray.model import hardware as module
from irnet_ray.model.fit import fit
from irnet_ray.model.hardware import Hardware
from irnet_ray.model.network import BatchNorm, Layer, Network
from irnet_ray.model.recipe import Recipe
from irnet_ray.model.rows import Standardization

RECIPE = Recipe(base="fast", epochs=6, batch_size=32, learning_rate=5e-3)
TRAIN, VALIDATION = made(200, 0), made(40, 1)


def trained(hardware):
    return fit(IRNET, RECIPE, TRAIN, VALIDATION, seed=0, hardware=hardware)


def test_bfloat16_computes_matrix_products_in_it_and_keeps_the_weights():
    seen = set()

    def note(layer, inputs, output):
        seen.add(output.dtype)

    handle = torch.nn.modules.module.register_module_forward_hook(
        lambda layer, inputs, output: note(layer, inputs, output) if isinstance(layer, torch.nn.Linear) else None
    )
    try:
        fitted = trained(Hardware(bfloat16=True))
    finally:
        handle.remove()
    assert torch.bfloat16 in seen
    assert {parameter.dtype for parameter in fitted.network.parameters()} == {torch.float32}
    exact = trained(Hardware()).history
    errors, expected = ([epoch.train_mae for epoch in history] for history in (fitted.history, exact))
    assert errors == pytest.approx(expected, rel=0.03)
    assert errors != expected


def test_a_compiled_network_is_stepped_and_the_plain_one_predicts(monkeypatch):
    compiled = []

    def compile_(network, **options):
        def step(x):
            compiled.append(options)
            return network(x)

        return step

    monkeypatch.setattr(torch, "compile", compile_)
    fitted = trained(Hardware(compiled=True))
    assert len(compiled) == fitted.history[-1].step
    assert compiled[0] == {"mode": "reduce-overhead"}
    assert [epoch.val_mae for epoch in fitted.history] == [epoch.val_mae for epoch in trained(Hardware()).history]


def test_nothing_is_compiled_or_cast_unless_asked_for(monkeypatch):
    for name in ("compile", "autocast"):
        monkeypatch.setattr(torch, name, lambda *_, **__: pytest.fail("not asked for"))
    trained(Hardware())


@pytest.mark.parametrize("rows", [TRAIN, TRAIN.select(np.array([5, 3, 3, 199]))], ids=["rows", "selection"])
def test_resident_rows_are_standardized_block_by_block(monkeypatch, rows):
    standardization = Standardization.of(TRAIN.inputs)
    expected = standardization.apply(rows.inputs)
    monkeypatch.setattr("irnet_ray.model.rows._ROWS_AT_A_TIME", 64)
    np.testing.assert_array_equal(Hardware().resident(rows, standardization).numpy(), expected)


def test_rows_for_a_gpu_go_through_pinned_memory(monkeypatch):
    asked = []
    empty = torch.empty

    def note(*sizes, pin_memory):
        asked.append(pin_memory)
        return empty(*sizes)

    class Anywhere(torch.Tensor):
        def to(self, device, non_blocking):
            asked.append((device, non_blocking))
            return self

    monkeypatch.setattr(
        module.torch, "empty", lambda *sizes, pin_memory: note(*sizes, pin_memory=pin_memory).as_subclass(Anywhere)
    )
    Hardware("cuda").resident(TRAIN, Standardization.of(TRAIN.inputs))
    assert asked == [True, ("cuda", True)]


def test_batch_norm_is_each_processs_own_where_there_is_one_worker():
    network = Network(IRNET, 6, seed=0)
    Hardware(synchronized_batch_norm=True).prepare(network)
    kinds = {type(layer.batch_norm) for layer in network.modules() if isinstance(layer, Layer)}
    assert kinds == {BatchNorm}


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.parametrize("options", [{}, {"bfloat16": True}, {"compiled": True}], ids=str)
def test_a_gpu_trains_like_the_processor(options):
    on_gpu, here = trained(Hardware("cuda", **options)).history, trained(Hardware()).history
    tolerance = 0.05 if options.get("bfloat16") else 1e-3
    assert [epoch.train_mae for epoch in on_gpu] == pytest.approx([epoch.train_mae for epoch in here], rel=tolerance)
