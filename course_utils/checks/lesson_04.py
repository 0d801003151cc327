"""Checks of the exercises of lesson 04, regression."""

import copy
import math

import torch
import torch.nn.functional as F
from torch import nn

from course_utils.checks import close, exercise, require, require_number, require_tensor


@exercise(
    "04.1",
    "Train on standardized targets",
    "Standardizing subtracts a mean and divides by a standard deviation. Which of the two sets may "
    "a model learn from? Both numbers come from there.",
    "`train_full_batch` takes any targets: give it the standardized ones.",
    "The trained model answers in standardized units. Solve z = (y - mean) / std for y.",
    "The error is to be in the original units too: compare what you return with the validation "
    "targets as they came.",
)
def check_fit_scaled(fit_scaled, generator):
    for num_train, num_val, features, size in ((12, 7, 1, 3), (9, 5, 3, 40), (15, 6, 2, 0.2)):
        train_data = _regression_data(num_train, features, size, 0.0, generator)
        val_data = _regression_data(num_val, features, size, 1.0, generator)
        model = _small_network(features, generator)
        epochs, lr = int(torch.randint(10, 40, (1,), generator=generator)), 0.05
        given = copy.deepcopy((train_data, val_data))
        result = fit_scaled(copy.deepcopy(model), *given, epochs, lr)
        pair = isinstance(result, tuple | list) and len(result) == 2
        require(pair, "`fit_scaled` must return two things: the predictions and their error")
        found = require_tensor(result[0], val_data[1], "the tensor of predictions")
        error = require_number(result[1], "the error")
        before, after = (*train_data, *val_data), (*given[0], *given[1])
        require(
            all(torch.equal(old, new) for old, new in zip(before, after, strict=True)),
            "it changes the tensors it was given; the next run would start from those",
        )

        case = f"for {num_train} training and {num_val} validation examples"
        named = _scaled_predictions(model, train_data, val_data, epochs, lr)
        for mistake, predictions in named:
            if close(found, predictions.detach(), 1e-3, 1e-3 * size):
                require(mistake is None, f"{case} the predictions {mistake}")
                break
        else:
            what = f"{epochs} steps on standardized targets lead to"
            require(False, f"{case} the predictions are not those that {what}")
        _require_error(error, found, train_data[1], val_data[1].double(), case)


def _scaled_predictions(model, train_data, val_data, epochs, lr):
    """Yield (mistake, predictions): first the right ones, whose mistake is None."""
    (inputs, targets), (val_inputs, val_targets) = train_data, val_data

    def outputs(targets, inputs=inputs, val_inputs=val_inputs):
        return _trained(model, inputs, targets, epochs, lr)(val_inputs)

    both, wrong = torch.cat([targets, val_targets]), []
    for correction in (1, 0):  # dividing by N - 1 or by N: both are customary
        mean, std = targets.mean(), targets.std(correction=correction)
        z = outputs((targets - mean) / std)
        yield None, z * std + mean
        val_mean, val_std = val_targets.mean(), val_targets.std(correction=correction)
        all_mean, all_std = both.mean(), both.std(correction=correction)
        z_all = outputs((targets - all_mean) / all_std)
        by_variance = outputs((targets - mean) / std**2)
        columns = inputs.mean(dim=0), inputs.std(dim=0, correction=correction)
        scaled = [(values - columns[0]) / columns[1] for values in (inputs, val_inputs)]
        z_inputs = outputs((targets - mean) / std, *scaled)
        wrong += [
            ("are still in standardized units", z),
            ("rest on statistics into which validation targets went", z_all * all_std + all_mean),
            ("are mapped back with the validation set's statistics", z * val_std + val_mean),
            (
                "are mapped back in the wrong order: what was done last is to be undone first",
                (z + mean) * std,
            ),
            ("are mapped back without the mean", z * std),
            ("are mapped back without the standard deviation", z + mean),
            (
                "come from targets divided by the variance, not by the standard deviation",
                by_variance * std**2 + mean,
            ),
            (
                "are those for standardized inputs: only targets are asked for",
                z_inputs * std + mean,
            ),
        ]
    wrong.append(("are those of a model trained on the targets as they came", outputs(targets)))
    yield from wrong


def _require_error(error, predictions, targets, val_targets, case):
    squares = (predictions - val_targets) ** 2
    expected = squares.mean().item()
    if close(error, expected, 1e-3, 0):
        return
    for value, mistake in (
        (expected / targets.var(), "it is in standardized units, not in those of the targets"),
        (
            expected / targets.var(correction=0),
            "it is in standardized units, not in those of the targets",
        ),
        (math.sqrt(expected), "it is the root of the mean of squares"),
        (squares.sum(), "it is the sum of the squares, not their mean"),
    ):
        require(not close(error, value, 1e-3, 0), f"{case} the error is wrong: {mistake}")
    require(False, f"{case} the error is not the mean squared error of the predictions returned")


def _regression_data(count, features, size, shift, generator):
    inputs = torch.randn(count, features, generator=generator) + shift
    noise = 0.1 * torch.randn(count, 1, generator=generator)
    return inputs, size * (2 + inputs.sum(dim=1, keepdim=True).sin() + noise)


def _small_network(features, generator):
    model = nn.Sequential(nn.Linear(features, 5), nn.Tanh(), nn.Linear(5, 1))
    for parameter in model.parameters():
        parameter.data = 0.5 * torch.randn(parameter.shape, generator=generator)
    return model


def _trained(model, inputs, targets, epochs, lr):
    model = copy.deepcopy(model)
    for _ in _training(model, inputs, targets, epochs, lr):
        pass
    return model


def _training(model, inputs, targets, epochs, lr):
    """Yield the training loss of each epoch, after its step."""
    optimizer = torch.optim.SGD(model.parameters(), lr=lr)
    for _ in range(epochs):
        loss = F.mse_loss(model(inputs), targets)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        yield loss.item()


@exercise(
    "04.2",
    "Square small errors, not large ones",
    "Begin with the absolute errors |outputs - targets|, and with two tensors: what each formula "
    "gives for every error.",
    "`torch.where(condition, a, b)` takes from a where the condition holds, from b elsewhere.",
    "Which slope does ½u² have at u = delta? The straight piece has it everywhere. Then move the "
    "piece up or down until both give the same number at delta.",
    "What is asked for is one number: what does the lesson's MSE do with the errors' squares?",
)
def check_huber(huber_loss, generator):
    for shape, delta in (((6,), 0.7), ((8, 1), 2.5), ((5, 3), 1.0), ((40,), 0.1), ((1, 2), 3.0)):
        targets = 10 * torch.randn(shape, generator=generator)
        # Between 0 and 3 delta, with either sign, and at least one error on each side of delta.
        size = 3 * delta * torch.rand(shape, generator=generator)
        size.view(-1)[0], size.view(-1)[1] = 0.6 * delta, 2.2 * delta
        sign = 2.0 * torch.randint(2, shape, generator=generator) - 1
        outputs = (targets + size * sign).requires_grad_()
        result = huber_loss(outputs, targets, delta)
        found = require_tensor(result, torch.zeros(()), "the loss")
        expected = F.huber_loss(outputs, targets, delta=delta)
        case = f"for {targets.numel()} errors and delta {delta}"
        if close(found, expected.detach(), 1e-4, 1e-6):
            require(
                result.requires_grad,
                "the loss has no graph behind it, so nothing could be trained with it: is there an "
                "`.item()`, a `.detach()` or a `no_grad`?",
            )
            (slope,) = torch.autograd.grad(result, outputs)
            (right,) = torch.autograd.grad(expected, outputs)
            require(
                close(slope, right, 1e-3, 1e-6),
                f"{case} the value is right, but not its gradient: is all of it computed from "
                "`outputs`?",
            )
            continue
        u = (outputs - targets).detach().double()
        size = u.abs()
        square, line = 0.5 * u**2, delta * (size - 0.5 * delta)
        small = size <= delta
        for values, mistake in (
            (square, "every error is squared, the large ones too"),
            (line, "every error gets the straight branch, the small ones too"),
            (torch.where(small, line, square), "the two branches are the wrong way round"),
            (torch.where(u <= delta, square, line), "a large negative error counts as small"),
            (torch.where(small, 2 * square, line), "the small errors' ½ is missing"),
            (2 * torch.where(small, square, line), "it is twice as large: the ½ is missing"),
            (
                torch.where(small, square, delta * size),
                "the branches do not meet: at |u| = delta the loss would jump",
            ),
            (
                torch.where(small, square, size - 0.5 * delta),
                "the branches do not meet: at |u| = delta the loss would jump",
            ),
            (
                torch.where(small, 2 * square, delta * size),
                "the branches meet at |u| = delta, but with a kink: their slopes differ there",
            ),
            (torch.where(small, square, line) / delta, "it is divided by delta"),
            (F.huber_loss(outputs, targets, reduction="none").detach(), "delta is not used"),
        ):
            mean = values.mean()
            other = close(found, mean, 1e-4, 1e-6) and not close(mean, expected.detach(), 1e-3, 0)
            require(not other, f"{case} {mistake}")
        summed = F.huber_loss(outputs, targets, delta=delta, reduction="sum").detach()
        require(not close(found, summed, 1e-4, 1e-6), f"{case} it is the sum, not the mean")
        require(False, f"{case} `nn.HuberLoss` gives another value")


class _Watched(nn.Module):
    """A linear model that notes of each call how many inputs, which mode, gradients or not."""

    def __init__(self, features, generator):
        super().__init__()
        self.line = nn.Linear(features, 1)
        self.calls = []
        for parameter in self.line.parameters():
            parameter.data = torch.randn(parameter.shape, generator=generator)

    def forward(self, inputs):
        self.calls.append((len(inputs), self.training, torch.is_grad_enabled()))
        return self.line(inputs)


@exercise(
    "04.3",
    "Keep the best epoch",
    "Two variables from before the loop on: the best validation loss so far (what can it start "
    "with, so that the first epoch beats it?) and what belongs to it.",
    "One epoch: training mode, one step on the training data; evaluation mode, the loss on the "
    "validation data under `torch.no_grad()`; then compare with the best so far.",
    "Print one weight from `model.state_dict()` before a step, and the same object after it. What "
    "has happened to it?",
    "A state that stays as it was needs its own numbers: look up `copy.deepcopy`, and what "
    "`dict(...)` copies and what it does not.",
)
def check_keep_best(keep_best, generator):
    for falls_twice in (False, True, False, True):
        model, data, epochs, lr, path = _overfitting_case(falls_twice, generator)
        losses, states = [loss for loss, _ in path], [state for _, state in path]
        best = losses.index(min(losses)) + 1
        student = copy.deepcopy(model)
        student.train(falls_twice)  # the mode it comes in is not to matter
        result = keep_best(student, *copy.deepcopy(data), epochs, lr)
        pair = isinstance(result, tuple | list) and len(result) == 2
        right_kinds = pair and isinstance(result[0], dict)
        require(right_kinds, "`keep_best` must return two things: a state dict and an epoch")
        kept, epoch = dict(result[0]), require_number(result[1], "the epoch")
        require(set(kept) == set(states[0]), "the state must have the names of the model's state")
        found = {
            name: require_tensor(value, states[0][name], f"`{name}` of the state").clone()
            for name, value in kept.items()
        }
        _require_care(student.calls, *(len(inputs) for inputs, _ in data))

        def is_state(number, found=found, states=states):
            return all(
                close(value, states[number - 1][name], 1e-3, 1e-4) for name, value in found.items()
            )

        case = f"of {epochs} epochs"
        if not (epoch == best and is_state(best)):
            require(
                not (epoch == best and is_state(epochs)),
                f"{case} the right one is named, but the state is that of the last: what you kept "
                "has gone on changing with the model",
            )
            require(
                any(is_state(number) for number in range(1, epochs + 1)),
                f"{case} the state is that of none: is each epoch one step of plain SGD with this "
                "learning rate, on the training data only?",
            )
            _name_wrong_epoch(case, epoch, best, losses, is_state)
        with torch.no_grad():
            for parameter in student.parameters():
                parameter.add_(1.0)
        require(
            all(close(value, found[name]) for name, value in result[0].items()),
            "the state is right, but it changes when the model is trained on: they share memory",
        )


def _overfitting_case(falls_twice, generator):
    """A model, data and a learning rate whose validation loss is lowest between first and last.

    With `falls_twice` it rises before it reaches that lowest value.
    """
    while True:
        features = int(torch.randint(4, 9, (1,), generator=generator))
        truth = torch.randn(features, 1, generator=generator)
        data = []
        for count in (features + 1, features + 5):  # so few that noise is learned too
            inputs = torch.randn(count, features, generator=generator)
            noise = 2 * torch.randn(count, 1, generator=generator)
            data.append((inputs, inputs @ truth + noise))
        inputs = data[0][0]
        curvature = 2 * torch.linalg.matrix_norm(inputs.T @ inputs / len(inputs), 2).item()
        lr = (1.9 if falls_twice else 0.6) / curvature  # from 2 on it would diverge
        epochs = int(torch.randint(12, 40, (1,), generator=generator))
        model, path = _Watched(features, generator), []
        trained = copy.deepcopy(model)
        for _ in _training(trained, *data[0], epochs, lr):
            with torch.no_grad():
                loss = F.mse_loss(trained(data[1][0]), data[1][1]).item()
            path.append((loss, copy.deepcopy(trained.state_dict())))
        losses = [loss for loss, _ in path]
        lowest, second = sorted(losses)[:2]
        best = losses.index(lowest) + 1
        rise = next((k for k in range(1, epochs) if losses[k] > losses[k - 1]), epochs)
        inside = 3 <= best <= epochs - 3 and second > 1.001 * lowest
        if inside and (rise < best) == falls_twice and math.isfinite(sum(losses)):
            return model, data, epochs, lr, path


def _require_care(calls, num_train, num_val):
    """Modes and gradients as the exercise asks; the two sets are told apart by their sizes."""
    for count, training, gradients in calls:
        if count == num_val:
            require(not gradients, "the validation loss is computed with gradients on")
            require(not training, "the validation loss is computed in training mode")
        elif count == num_train and gradients:
            require(training, "it trains in evaluation mode: is the mode set back in every epoch?")


def _name_wrong_epoch(case, epoch, best, losses, is_state):
    epochs = len(losses)
    require(
        not (epoch == best - 1 and is_state(best)),
        f"{case} the right state is kept, but its number is one too low: the first epoch is 1",
    )
    late = epoch == best + 1 and (is_state(best) or is_state(best + 1))
    require(not late, f"{case} an epoch's validation loss is computed before its step, not after")
    require(
        epoch != epochs,
        f"{case} the last is named, which has the lowest training loss; the lowest validation loss "
        "counts",
    )
    require(epoch != losses.index(max(losses)) + 1, f"{case} the worst is named, not the best")
    rises = [k for k in range(1, epochs) if losses[k] > losses[k - 1]]
    require(epoch != rises[0], f"{case} a better one comes after the first rise")
    falls = [k + 1 for k in range(1, epochs) if losses[k] < losses[k - 1]]
    before = falls and epoch == falls[-1]
    require(not before, f"{case} one is named that beats the epoch before it, not all before it")
    require(epoch == best, f"{case} epoch {epoch:g} is named, which has not the lowest loss")
    require(False, f"{case} the right one is named, but the state is not that of this epoch")


@exercise(
    "04.4",
    "The best line through the origin",
    "Write the loss as a function of w alone: the mean of (w·x - y)². It is a parabola in w.",
    "Where is a parabola lowest? Take the derivative with respect to w of one example's term, "
    "(w·x - y)², first.",
    "The sum of 2·x·(w·x - y) over the examples must be 0. Draw w out of the sum.",
)
def check_origin_slope(origin_slope, generator):
    # Positive x first, since some mistakes are only near the answer there, never equal to it.
    for count, lowest in ((4, 1.0), (9, 1.0), (12, -3.0), (1, 0.5), (30, -20.0)):
        x = lowest + 6 * torch.rand(count, generator=generator)
        slope = 4 * torch.rand(1, generator=generator) - 2
        y = slope * x + 3 + torch.randn(count, generator=generator)
        found = require_number(origin_slope(x.clone(), y.clone()), "what `origin_slope` returns")
        x, y = x.double(), y.double()
        expected = torch.linalg.lstsq(x.unsqueeze(1), y.unsqueeze(1)).solution.item()
        if close(found, expected, 1e-3, 1e-5):
            continue
        case = f"for {count} examples"
        products, squares = (x * y).sum(), (x * x).sum()
        from_mean = x - x.mean()
        wrong = [
            (y.sum() / x.sum(), "it is the ratio of the means, which leaves no error on average"),
            ((y / x).mean(), "it is the mean of the ratios y / x, in which small x weigh most"),
            (squares / products, "it is upside down"),
            (products / (y * y).sum(), "it is the slope that predicts x from y"),
            (products, "the sum of products still has to be divided"),
            (products / count, "the mean of products still has to be divided by something else"),
        ]
        if count > 2:
            biased = (from_mean * y).sum() / (from_mean**2).sum()
            wrong.append((biased, "it is the slope of the best line *with* a bias"))
        for value, mistake in wrong:
            require(not close(found, value, 1e-3, 1e-5), f"{case} {mistake}")
        better = "larger" if found < expected else "smaller"
        require(False, f"{case} a {better} slope than {found:.3g} has a smaller loss")
