from typing import Annotated, Literal

import pytest
from pydantic import Field, ValidationError

from irnet_ray.config import Axis, Config, validate
from irnet_ray.errors import ConfigurationError, UserError, suggestion


class Network(Config):
    depth: int = Field(default=17, ge=2)
    shortcut: Literal["none", "stack", "layer"] = "layer"


class Grid(Config):
    name: str
    network: Network = Network()
    seeds: Axis[int] = (0,)
    rate: float = 1e-3
    blocks: dict[str, int] = Field(default={"a": 1}, min_length=1)


class Circle(Config):
    kind: Literal["circle"]
    radius: float


class Square(Config):
    kind: Literal["square"]
    side: float


class Shapes(Config):
    shapes: tuple[Annotated[Circle | Square, Field(discriminator="kind")], ...]


def complaint(**given):
    with pytest.raises(ConfigurationError) as caught:
        validate(Grid, given, "study.yaml")
    return str(caught.value)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "name: this key is required; add it"),
        ({"name": "a", "sedes": 1}, "unknown key 'sedes'; did you mean 'seeds'?"),
        ({"name": "a", "network": {"dept": 1}}, "network: unknown key 'dept'; did you mean 'depth'?"),
        ({"name": "a", "network": {"shortcut": "layers"}}, "unknown value 'layers'; did you mean 'layer'?"),
        ({"name": "a", "network": {"shortcut": "xyz"}}, "unknown value 'xyz'; choose from layer, none, stack"),
        ({"name": "a", "network": {"depth": 1}}, "network.depth: input should be greater than or equal to 2, not 1"),
        ({"name": "a", "rate": float("inf")}, "rate: input should be a finite number, not inf"),
        ({"name": "a", "network": None}, "network: must be a block of keys with values, not nothing"),
        ({"name": "a", "blocks": {}}, "blocks: must hold at least 1, not 0"),
        ({"name": "a", "blocks": [1]}, "blocks: must be a block of keys with values, not [1]"),
        ({"name": "a", "seeds": []}, "seeds: the list is empty; name at least one value"),
        ({"name": "a", "seeds": [1, 2, 1]}, "seeds: a value stands twice; name each value once"),
    ],
)
def test_a_mistake_names_the_field_and_the_repair(given, message):
    said = complaint(**given)
    assert said.startswith("study.yaml: ")
    assert message in said
    assert "\n" not in said


def test_further_mistakes_are_counted():
    assert complaint(network={"depth": 0}, rate="fast").endswith("(and 2 more)")


def test_one_value_or_a_list_is_an_axis():
    assert validate(Grid, {"name": "a", "seeds": 3}, "f").seeds == (3,)
    assert validate(Grid, {"name": "a", "seeds": [3, 1]}, "f").seeds == (3, 1)


def test_configuration_is_frozen():
    grid = Grid(name="a")
    with pytest.raises(ValidationError):
        grid.name = "b"


def test_a_message_speaks_of_the_whole_where_no_field_is_wrong():
    with pytest.raises(ConfigurationError) as caught:
        validate(Grid, "text", "study.yaml")
    assert str(caught.value) == "study.yaml: must be a block of keys with values, not 'text'"


def test_a_field_is_named_as_it_stands_in_the_file():
    """pydantic puts the name of a union's member into the path; the user never wrote it."""
    with pytest.raises(ConfigurationError) as caught:
        validate(Shapes, {"shapes": [{"kind": "circle", "radius": 1}, {"kind": "square", "side": "wide"}]}, "f")
    assert str(caught.value).startswith("f: shapes.1.side: input should be a valid number")


def test_a_suggestion_names_the_nearest_or_all():
    assert suggestion("depht", ["depth", "width"]) == "; did you mean 'depth'?"
    assert suggestion("zzz", ["width", "depth"]) == "; choose from depth, width"


def test_a_configuration_error_is_the_users():
    assert issubclass(ConfigurationError, UserError)
