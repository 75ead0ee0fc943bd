import pytest
from hypothesis import given
from hypothesis import strategies as st

from irnet_ray.errors import ConfigurationError
from irnet_ray.model.architecture import DEPTHS, SHORTCUTS, Architecture
from irnet_ray.model.network import Network, Residual, count_parameters

AUTHORS = {
    (10, "none"): "1024BAx2-512BAx2-256BAx2-128BAx1-64BAx1-32BAx1-1",
    (10, "stack"): "1024BAx2R-512BAx2R-256BAx2R-128BAx1R-64BAx1R-32BAx1R-1",
    (10, "layer"): "1024BARx2-512BARx2-256BARx2-128BARx1-64BARx1-32BARx1-1",
    (17, "none"): "1024BAx4-512BAx3-256BAx3-128BAx3-64BAx2-32BAx1-1",
    (17, "stack"): "1024BAx4R-512BAx3R-256BAx3R-128BAx3R-64BAx2R-32BAx1R-1",
    (17, "layer"): "1024BARx4-512BARx3-256BARx3-128BARx3-64BARx2-32BARx1-1",
    (24, "none"): "1024BAx4-512BAx4-256BAx4-128BAx4-64BAx3-32BAx2-16BAx2-1",
    (24, "stack"): "1024BAx4R-512BAx4R-256BAx4R-128BAx4R-64BAx3R-32BAx2R-16BAx2R-1",
    (24, "layer"): "1024BARx4-512BARx4-256BARx4-128BARx4-64BARx3-32BARx2-16BARx2-1",
    (48, "none"): "1024BAx4-1024BAx4-512BAx4-512BAx4-256BAx4-256BAx4-128BAx4-128BAx4-64BAx4-64BAx4-32BAx4-16BAx3-1",
    (48, "stack"): "1024BAx4R-1024BAx4R-512BAx4R-512BAx4R-256BAx4R-256BAx4R-128BAx4R-128BAx4R-64BAx4R-64BAx4R"
    "-32BAx4R-16BAx3R-1",
    (48, "layer"): "1024BARx4-1024BARx4-512BARx4-512BARx4-256BARx4-256BARx4-128BARx4-128BARx4-64BARx4-64BARx4"
    "-32BARx4-16BARx3-1",
}

numbers = st.integers(1, 4096)
architectures = st.builds(
    Architecture, st.lists(st.tuples(numbers, numbers), min_size=1, max_size=15).map(tuple), st.sampled_from(SHORTCUTS)
)


def test_the_authors_strings_cover_every_architecture():
    assert set(AUTHORS) == {(depth, shortcut) for depth in DEPTHS for shortcut in SHORTCUTS}


@pytest.mark.parametrize(("depth", "shortcut"), AUTHORS)
def test_an_architecture_is_written_and_read_as_the_authors_do(depth, shortcut):
    architecture = Architecture.of(depth, shortcut)
    assert str(architecture) == AUTHORS[depth, shortcut]
    assert Architecture.parse(AUTHORS[depth, shortcut]) == architecture


@given(architectures)
def test_reading_undoes_writing(architecture):
    assert Architecture.parse(str(architecture)) == architecture


@pytest.mark.parametrize(("text", "read"), [("8BA-1", ((8, 1),)), (" 16BAx2-8BA-1\n", ((16, 2), (8, 1)))])
def test_a_single_layer_needs_no_count(text, read):
    assert Architecture.parse(text) == Architecture(read, "none")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1024BAx4-512BARx3-1", "mixes placements of shortcuts"),
        ("1024BAx4R-512BARx3-1", "mixes placements of shortcuts"),
        ("1024BARx4-512BARx3", r"must be stacks joined by '-' and end in '-1'"),
        ("1024BARx4-512BARx3-2", r"must be stacks joined by '-' and end in '-1'"),
        ("1", "must be stacks joined by"),
        ("", "must be stacks joined by"),
        ("1024BAx4-512BAx0-1", "stack '512BAx0' is not of the form"),
        ("1024BAx4-512BAx00-1", "stack '512BAx00' is not of the form"),
        ("0BAx4-512BAx3-1", "stack '0BAx4' is not of the form"),
        ("1024BARx4R-1", "stack '1024BARx4R' is not of the form"),
        ("1024BAx4-512x3-1", "stack '512x3' is not of the form"),
        ("1024BAx4--1", "stack '' is not of the form"),
        ("1024BAx-4-1", "stack '1024BAx' is not of the form"),
        ("1024bax4-1", "stack '1024bax4' is not of the form"),
    ],
)
def test_a_string_that_cannot_be_read_names_the_bad_part(text, message):
    with pytest.raises(ConfigurationError, match=message) as caught:
        Architecture.parse(text)
    assert f"architecture '{text}'" in str(caught.value)


@pytest.mark.parametrize(
    ("depth", "shortcut", "message"),
    [
        (18, "layer", "depth: no architecture of 18 layers; choose from (10, 17, 24, 48)"),
        (17, "layers", "shortcut: unknown value 'layers'; did you mean 'layer'?"),
        (17, "xyz", "shortcut: unknown value 'xyz'; choose from layer, none, stack"),
    ],
)
def test_an_architecture_that_is_not_the_papers_is_refused(depth, shortcut, message):
    with pytest.raises(ConfigurationError) as caught:
        Architecture.of(depth, shortcut)
    assert str(caught.value) == message


@pytest.mark.parametrize("depth", DEPTHS)
def test_the_depth_counts_the_output_unit(depth):
    architecture = Architecture.of(depth, "layer")
    assert architecture.depth == depth
    assert sum(layers for _, layers in architecture.stacks) == depth - 1


def test_placements_have_the_papers_names():
    assert [Architecture.of(17, shortcut).model_name for shortcut in ("none", "stack", "layer")] == [
        "plain",
        "srnet",
        "irnet",
    ]


def test_the_17_layer_irnet_has_the_parameters_of_the_authors_graph():
    network = Network(Architecture.of(17, "layer"), 145, seed=0)
    parts = {"dense": 0, "shortcut": 0, "batch_norm": 0}
    for name, parameter in network.named_parameters():
        part = next((part for part in ("shortcut", "batch_norm") if part in name), "dense")
        parts[part] += parameter.numel()
    assert parts == {"dense": 4_691_777, "shortcut": 848_864, "batch_norm": 13_888}
    assert Architecture.of(17, "layer").count_parameters(145) == 5_554_529 == sum(parts.values())


@pytest.mark.parametrize("width", [0.01, 0.05, 0.25])
@pytest.mark.parametrize("shortcut", SHORTCUTS)
@pytest.mark.parametrize("depth", DEPTHS)
def test_the_count_in_closed_form_is_that_of_the_network(depth, shortcut, width):
    architecture = Architecture.of(depth, shortcut, width)
    first = architecture.stacks[0][0]
    for inputs in (1, first, 145):
        assert architecture.count_parameters(inputs) == count_parameters(Network(architecture, inputs, seed=0))


def test_the_width_scales_every_layer_and_leaves_at_least_one_unit():
    assert Architecture.of(17, "none", 0.25).stacks == ((256, 4), (128, 3), (64, 3), (32, 3), (16, 2), (8, 1))
    assert {units for units, _ in Architecture.of(24, "none", 1e-6).stacks} == {1}


@pytest.mark.parametrize(("depth", "identities"), [(10, 0), (17, 0), (24, 0), (48, 5)])
def test_srnet_has_identity_shortcuts_only_where_stacks_match(depth, identities):
    network = Network(Architecture.of(depth, "stack", 1 / 16), 145, seed=0)
    shortcuts = [module.shortcut for module in network.modules() if isinstance(module, Residual)]
    assert len(shortcuts) == len(Architecture.of(depth, "stack").stacks)
    assert sum(not list(shortcut.parameters()) for shortcut in shortcuts) == identities
