"""Counts against arithmetic, shapes against a forward pass, and nothing left behind."""

from itertools import pairwise

import pytest
import torch
from torch import nn

from course_utils.inspection import count_parameters, evaluating, mode, summarize


def test_the_lectures_networks():
    def net(*sizes):
        return nn.Sequential(*[nn.Linear(a, b) for a, b in pairwise(sizes)])

    assert count_parameters(net(3072, 512, 2)) == 1_574_402
    assert count_parameters(net(3072, 1024, 512, 128, 2)) == 3_737_474


def test_frozen_and_shared_parameters():
    model = nn.Sequential(nn.Linear(3, 3), nn.Linear(3, 3))
    model[1].weight = model[0].weight
    assert count_parameters(model) == 9 + 3 + 3
    model[0].bias.requires_grad_(False)
    assert count_parameters(model, trainable_only=True) == 9 + 3
    assert count_parameters(model, trainable_only=False) == 9 + 3 + 3


class Net(nn.Module):
    """A parameter of its own, a layer used twice, a layer never used, several outputs."""

    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(torch.ones(4))
        self.twice = nn.Linear(4, 4)
        self.gru = nn.GRU(4, 2, batch_first=True)
        self.unused = nn.Linear(5, 5)

    def forward(self, x):
        return self.gru(self.twice(self.twice(x * self.scale)))[0]


def test_summary_follows_the_input_and_adds_up():
    model = Net()
    table = summarize(model, (2, 3, 4))
    assert list(table.columns) == ["layer", "output_shape", "parameters"]
    assert table.layer.tolist() == [
        *("twice: Linear", "twice: Linear", "gru: GRU"),
        *("Net", "unused: Linear"),
    ]
    shapes = [(2, 3, 4), (2, 3, 4), [(2, 3, 2), (1, 2, 2)], (2, 3, 2), None]
    assert table.output_shape.tolist() == shapes
    assert table.parameters.tolist()[:2] == [20, 0]
    assert table.parameters.sum() == count_parameters(model)


def test_summary_of_a_convolutional_network():
    model = nn.Sequential(nn.Conv2d(1, 16, 3), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(2704, 10))
    table = summarize(model, (5, 1, 28, 28))
    expected = [(5, 16, 26, 26), (5, 16, 13, 13), (5, 2704), (5, 10)]
    assert table.output_shape.tolist() == expected
    assert table.parameters.tolist() == [160, 0, 0, 27050]


def test_summary_leaves_no_trace():
    model = nn.Sequential(nn.Linear(4, 4), nn.BatchNorm1d(4), nn.Dropout(0.5)).double()
    model[1].eval()
    modes = [module.training for module in model.modules()]
    before = {key: value.clone() for key, value in model.state_dict().items()}
    state = torch.get_rng_state()
    for shape in [(1, 4), (1, 5)]:  # the second one fails
        try:
            summarize(model, shape)
        except ValueError as error:
            assert "(1, 5)" in str(error)
        assert [module.training for module in model.modules()] == modes
        assert not any(module._forward_hooks for module in model.modules())
        assert torch.equal(torch.get_rng_state(), state)
        assert all(torch.equal(value, before[key]) for key, value in model.state_dict().items())
        assert all(parameter.grad is None for parameter in model.parameters())


def test_summary_names_the_shape_it_was_given():
    with pytest.raises(ValueError, match=r"takes no inputs of shape \(2, 5\)"):
        summarize(nn.Linear(4, 4), (2, 5))


def test_mode_comes_back_module_by_module_even_after_an_error():
    model = nn.Sequential(nn.Dropout(), nn.Dropout())
    model[1].eval()
    with pytest.raises(KeyError), mode(model, training=False):
        assert not model.training
        raise KeyError
    assert [module.training for module in model.modules()] == [True, True, False]


def test_evaluating_gives_random_numbers_back():
    state = torch.get_rng_state()
    with evaluating(nn.Identity()):
        torch.rand(3)
        assert not torch.is_grad_enabled()
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.is_grad_enabled()
