import doctest
import inspect

import pytest
import torch

import graphlab.nn

CLASSES = [
    getattr(graphlab.nn, name)
    for name in graphlab.nn.__all__
    if inspect.isclass(getattr(graphlab.nn, name))
]


def test_all_names_exist_once():
    names = graphlab.nn.__all__
    assert len(names) == len(set(names)) and len(CLASSES) >= 15
    assert all(hasattr(graphlab.nn, name) for name in names)


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
def test_docstrings_have_formula_shapes_and_source(cls):
    doc = inspect.getdoc(cls)
    assert doc and ".. math::" in doc and "Shapes:" in doc and "<https://" in doc
    for name in list(inspect.signature(cls).parameters):
        assert f"{name}:" in doc, f"{cls.__name__} does not explain {name}"


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
def test_examples_run(cls):
    names = {name: getattr(graphlab.nn, name) for name in graphlab.nn.__all__}
    names["torch"] = torch
    example = doctest.DocTestParser().get_doctest(
        inspect.getdoc(cls), names, cls.__name__, None, 0
    )
    assert example.examples, f"{cls.__name__} has no example"
    assert doctest.DocTestRunner().run(example).failed == 0


@pytest.mark.parametrize("name", graphlab.nn.models.__all__)
def test_models_are_called_alike(name):
    cls = getattr(graphlab.nn, name)
    first = list(inspect.signature(cls).parameters)[:3]
    assert first == ["in_channels", "hidden_channels", "out_channels"]
    forward = inspect.signature(cls.forward).parameters
    assert list(forward)[:4] == ["self", "x", "edge_index", "edge_weight"]
    for more in list(forward.values())[4:]:  # nobody need know of
        assert more.kind is more.KEYWORD_ONLY and more.default is None
    model = cls(4, 8, 3)
    parameters = [name for name, _ in model.named_parameters()]
    for prefix in cls.optim_overrides:
        assert any(p.startswith(prefix) for p in parameters)
