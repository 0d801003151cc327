"""Metrics against the slow and obviously right version, and an epoch's record against its parts."""

import numpy as np
import pytest
import torch
from torch import nn

from course_utils.metrics import EpochRecord, accuracy, most_likely


@pytest.mark.parametrize("kind", [torch.as_tensor, np.asarray, list])
def test_accuracy_is_the_fraction_of_equal_pairs(kind):
    targets, predictions = [0, 1, 2, 2, 1], [0, 2, 2, 1, 1]
    right = sum(t == p for t, p in zip(targets, predictions, strict=True))
    result = accuracy(kind(targets), kind(predictions))
    assert type(result) is float
    assert result == right / 5 == 0.6


def test_accuracy_takes_any_number_of_dimensions():
    assert accuracy(torch.tensor([[0, 1], [1, 1]]), torch.tensor([[0, 1], [1, 0]])) == 0.75


@pytest.mark.parametrize("shapes", [((4, 1), (4,)), ((4,), (4, 3)), ((0,), (0,))])
def test_accuracy_never_broadcasts(shapes):
    with pytest.raises(ValueError, match=r"same shape.*most_likely"):
        accuracy(torch.zeros(shapes[0]), torch.zeros(shapes[1]))


def test_most_likely_is_the_argmax_over_classes():
    outputs = torch.randn(5, 3, 4, 4)
    expected = torch.tensor(outputs.numpy().argmax(axis=1))
    assert torch.equal(most_likely(outputs), expected)


@pytest.mark.parametrize("shape", [(4,), (4, 1)])
def test_most_likely_does_not_guess_with_one_logit(shape):
    with pytest.raises(ValueError, match="C ≥ 2"):
        most_likely(torch.zeros(shape))


def record_of(*batches, metrics=None, decide=None):
    record = EpochRecord("training", metrics, decide)
    for loss, outputs, targets in batches:
        record.add(torch.tensor(loss), outputs, targets)
    return record


def test_loss_counts_examples_not_batches():
    record = record_of((1.0, None, torch.zeros(3)), (5.0, None, torch.zeros(1)))
    assert record.means() == {"loss": 2.0}


def test_metric_is_called_once_with_targets_first_and_all_examples():
    calls = []

    def metric(targets, predictions):
        calls.append((targets, predictions))
        return np.float64(0.5)

    weight = nn.Parameter(torch.ones(1))
    batches = [(1.0, weight * i * torch.ones(2, 1), torch.tensor([i, i])) for i in range(3)]
    result = record_of(*batches, metrics={"half": metric}).means()
    ((targets, predictions),) = calls
    assert targets.tolist() == [0, 0, 1, 1, 2, 2]
    assert predictions.flatten().tolist() == [0, 0, 1, 1, 2, 2]
    assert not predictions.requires_grad
    assert type(result["half"]) is float


def test_decide_turns_outputs_into_predictions():
    batch = (1.0, torch.tensor([[0.0, 2.0], [3.0, 1.0]]), torch.tensor([1, 1]))
    decided = record_of(batch, metrics={"accuracy": accuracy}, decide=most_likely)
    assert decided.means() == {"loss": 1.0, "accuracy": 0.5}
    with pytest.raises(ValueError, match="most_likely"):  # never guessed
        record_of(batch, metrics={"accuracy": accuracy}).means()


def test_a_broken_metric_is_an_error_not_a_nan():
    def broken(targets, predictions):
        raise KeyError("broken")

    with pytest.raises(KeyError, match="broken"):
        record_of((1.0, torch.zeros(1), torch.zeros(1)), metrics={"broken": broken}).means()


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -float("inf")])
def test_first_loss_that_is_not_finite_is_named(bad):
    batches = [(loss, None, torch.zeros(1)) for loss in (1.0, bad, 1.0, float("nan"))]
    with pytest.raises(FloatingPointError, match=f"training loss is {bad} in batch 2 of 4"):
        record_of(*batches).means()


@pytest.mark.parametrize("metrics", [{"loss": accuracy}, {"accuracy": 0.5}])
def test_metrics_must_be_named_functions(metrics):
    with pytest.raises(ValueError, match="metrics must be"):
        EpochRecord("training", metrics, None)


def test_decide_without_metrics_is_refused():
    with pytest.raises(ValueError, match="needs metrics"):
        EpochRecord("training", None, most_likely)
