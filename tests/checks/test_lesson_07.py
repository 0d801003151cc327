"""The checks of lesson 07 pass two right answers each, and fail stubs and learners' mistakes.

The docstring of each wrong answer names the mistake; `said` is what the check must say about it.
"""

import math
from itertools import pairwise

import pytest
import torch
import torch.nn.functional as F
from every_lesson import *
from torch import nn

# --- 07.1 ----------------------------------------------------------------------------------------


def same_shape(z, y):
    if z.shape != y.shape:
        raise ValueError("logits and targets of different shapes")


def bce(z, y):
    same_shape(z, y)
    largest = z.clamp(min=0)
    return (largest + (torch.exp(-largest) + torch.exp(z - largest)).log() - z * y).mean()


def bce_by_absolute_value(z, y):
    """The other usual form; `maximum` shares the slope at 0."""
    same_shape(z, y)
    largest = torch.maximum(z, torch.zeros_like(z))
    return torch.sum(largest - z * y + torch.log1p(torch.exp(-z.abs()))) / z.numel()


def bce_with_kink(z, y):
    """Takes relu for the larger of 0 and z, whose slope at 0 is 0."""
    same_shape(z, y)
    return (z.relu() - z * y + torch.log1p(torch.exp(-z.abs()))).mean()


def bce_as_written(z, y):
    """Takes the logarithms of the sigmoid."""
    same_shape(z, y)
    p = z.sigmoid()
    return -(y * p.log() + (1 - y) * (1 - p).log()).mean()


def bce_overflows(z, y):
    """Simplifies the formula and stops there."""
    same_shape(z, y)
    return (torch.log(1 + z.exp()) - z * y).mean()


def bce_with_epsilon(z, y):
    """Adds a small number in the logarithms."""
    same_shape(z, y)
    p = z.sigmoid()
    return -(y * (p + 1e-7).log() + (1 - y) * (1 - p + 1e-7).log()).mean()


def bce_clamped(z, y):
    """Clamps the logarithms at -100, as BCELoss does."""
    same_shape(z, y)
    p = z.sigmoid()
    return -(y * p.log().clamp(min=-100) + (1 - y) * (1 - p).log().clamp(min=-100)).mean()


def bce_of_limited_logits(z, y):
    """Limits z, so that nothing overflows."""
    return bce(z.clamp(-80, 80), y)


def bce_by_where(z, y):
    """Chooses between two formulas, of which one overflows."""
    same_shape(z, y)
    positive = z * (1 - y) + torch.log1p(torch.exp(-z))
    return torch.where(z > 0, positive, torch.log1p(torch.exp(z)) - z * y).mean()


def bce_right_value_only(z, y):
    """Detaches what it limits: the value is right, and no gradient comes through."""
    same_shape(z, y)
    far = (z.abs() > 15).float()
    return ((1 - far) * bce_each(z * (1 - far), y) + (far * bce_each(z, y)).detach()).mean()


def bce_each(z, y):
    return torch.maximum(z, torch.zeros_like(z)) - z * y + torch.log1p(torch.exp(-z.abs()))


def bce_summed(z, y):
    """Sums instead of averaging."""
    return bce(z, y) * z.numel()


def bce_exchanged(z, y):
    """Exchanges y and 1 - y."""
    return bce(z, 1 - y)


def bce_of_positives(z, y):
    """Forgets the second term."""
    same_shape(z, y)
    return -(y * (z - z.clamp(min=0) - torch.log1p(torch.exp(-z.abs())))).mean()


def bce_of_hard_targets(z, y):
    """Asks whether y is 1, instead of using it as a number."""
    return bce(z, (y == 1).float())


def bce_without_sign(z, y):
    """Forgets the minus."""
    return -bce(z, y)


def bce_sigmoid_twice(z, y):
    """Takes logits for probabilities that still need a sigmoid."""
    return bce(z.sigmoid(), y)


def bce_broadcasts(z, y):
    """Does not look at the shapes."""
    largest = z.clamp(min=0)
    return (largest + (torch.exp(-largest) + torch.exp(z - largest)).log() - z * y).mean()


def bce_asserts(z, y):
    """Refuses by an assertion."""
    assert z.shape == y.shape
    return bce(z, y)


def bce_item(z, y):
    """Returns a plain number."""
    return bce(z, y).item()


def bce_ready_made(z, y):
    """Calls PyTorch's."""
    return F.binary_cross_entropy_with_logits(z, y)


# --- 07.2 ----------------------------------------------------------------------------------------


def build(in_features, hidden_sizes, activation, shared=None, last=False, flat=True, middle=True):
    layers, size = [nn.Flatten()] if flat else [], in_features
    for hidden_size in hidden_sizes:
        layers += [nn.Linear(size, hidden_size)]
        layers += [shared or activation()] if middle else []
        size = hidden_size
    return nn.Sequential(*layers, nn.Linear(size, 1), *([activation()] if last else []))


class Stack(nn.Module):
    """The same net as a subclass."""

    def __init__(self, in_features, hidden_sizes, activation):
        super().__init__()
        sizes = [in_features, *hidden_sizes]
        pairs = [nn.Sequential(nn.Linear(a, b), activation()) for a, b in pairwise(sizes)]
        self.pairs, self.last = nn.ModuleList(pairs), nn.Linear(sizes[-1], 1)

    def forward(self, x):
        x = x.reshape(len(x), -1)
        for pair in self.pairs:
            x = pair(x)
        return self.last(x)


class HiddenStack(Stack):
    """Keeps its layers in a plain list."""

    def __init__(self, in_features, hidden_sizes, activation):
        super().__init__(in_features, hidden_sizes, activation)
        pairs, last = list(self.pairs), self.last
        del self.pairs, self.last
        self.pairs, self.__dict__["last"] = pairs, last


def count(in_features, hidden_sizes):
    total = 0
    for size in (*hidden_sizes, 1):
        total += (in_features + 1) * size
        in_features = size
    return total


def count_by_matrices(in_features, hidden_sizes):
    sizes = [in_features, *hidden_sizes, 1]
    return sum(torch.tensor([a * b + b for a, b in pairwise(sizes)]))


def build_without_flatten(*arguments):
    """Forgets that images have four axes."""
    return build(*arguments, flat=False)


def build_all_activated(*arguments):
    """Puts an activation after the last layer, too."""
    return build(*arguments, last=True)


def build_with_sigmoid(*arguments):
    """Ends in a sigmoid."""
    return nn.Sequential(build(*arguments), nn.Sigmoid())


def build_linear(*arguments):
    """Forgets the activations."""
    return build(*arguments, middle=False)


def build_relu(in_features, hidden_sizes, activation):
    """Takes ReLU always."""
    return build(in_features, hidden_sizes, nn.ReLU)


def build_sharing(in_features, hidden_sizes, activation):
    """Makes one instance of the activation for all layers."""
    return build(in_features, hidden_sizes, activation, shared=activation())


def build_from_input(in_features, hidden_sizes, activation):
    """Lets every layer read the input's size."""
    layers = [nn.Linear(in_features, size) for size in (*hidden_sizes, 1)]
    return nn.Sequential(nn.Flatten(), *layers)


def build_headless(in_features, hidden_sizes, activation):
    """Forgets the layer that gives the logit."""
    return build(in_features, hidden_sizes, activation)[:-1] if hidden_sizes else build_extra(3, [])


def build_extra(in_features, hidden_sizes, activation=nn.ReLU):
    """Has a hidden layer of one unit where there should be none."""
    return build(in_features, hidden_sizes or [1], activation)


def build_reversed(in_features, hidden_sizes, activation):
    """Takes the sizes from the end with `pop()`, of a copy."""
    return build(in_features, hidden_sizes[::-1], activation)


def build_emptying(in_features, hidden_sizes, activation):
    """Takes the sizes out of the list itself."""
    return build(in_features, [hidden_sizes.pop(0) for _ in list(hidden_sizes)], activation)


CACHE = {}


def build_once(in_features, hidden_sizes, activation):
    """Keeps the layers between calls."""
    key = (in_features, *hidden_sizes, activation)
    return CACHE.setdefault(key, build(in_features, hidden_sizes, activation))


def count_weights(in_features, hidden_sizes):
    """Forgets the biases."""
    return count(in_features, hidden_sizes) - sum(hidden_sizes) - 1


def count_hidden(in_features, hidden_sizes):
    """Forgets the last layer."""
    return count(in_features, hidden_sizes) - [in_features, *hidden_sizes][-1] - 1


def count_one_bias(in_features, hidden_sizes):
    """Counts one bias a layer."""
    return count_weights(in_features, hidden_sizes) + len(hidden_sizes) + 1


def count_units(in_features, hidden_sizes):
    """Counts units."""
    return in_features + sum(hidden_sizes) + 1


# --- 07.3 ----------------------------------------------------------------------------------------


class Shortcuts(nn.Module):
    def __init__(self, in_features, hidden_size, num_layers):
        super().__init__()
        self.first = nn.Linear(in_features, hidden_size)
        self.hidden = nn.ModuleList(self.layers(hidden_size, num_layers))
        self.last = nn.Linear(hidden_size, 1)

    def layers(self, size, count):
        return [nn.Linear(size, size) for _ in range(count)]

    def forward(self, images):
        h = torch.sigmoid(self.first(images.flatten(1)))
        for layer in self.hidden:
            h = self.go_on(h, layer)
        return self.last(h)

    def go_on(self, h, layer):
        return h + torch.sigmoid(layer(h))


class ShortcutsBySequential(nn.Module):
    """The same; nn.Sequential may be gone through, too."""

    def __init__(self, in_features, hidden_size, num_layers):
        super().__init__()
        self.flatten, self.act = nn.Flatten(), nn.Sigmoid()
        self.last = nn.Linear(hidden_size, 1)
        self.hidden = nn.Sequential()
        for _ in range(num_layers):
            self.hidden.append(nn.Linear(hidden_size, hidden_size))
        self.first = nn.Linear(in_features, hidden_size)

    def forward(self, images):
        steps = [self.act(self.first(self.flatten(images)))]
        for layer in self.hidden:
            steps.append(self.act(layer(sum(steps))))
        return self.last(sum(steps))


class PlainList(Shortcuts):
    """Keeps the layers in a plain list."""

    def __init__(self, *sizes):
        super().__init__(*sizes)
        layers = list(self.hidden)
        del self.hidden
        self.hidden = layers


class OneLayer(Shortcuts):
    """Repeats one layer."""

    def layers(self, size, count):
        return [nn.Linear(size, size)] * count


class OneTooFew(Shortcuts):
    """Counts `first` as one of the layers."""

    def layers(self, size, count):
        return super().layers(size, count - 1)


class NoShortcut(Shortcuts):
    """Passes the layers one after another."""

    def go_on(self, h, layer):
        return torch.sigmoid(layer(h))


class SigmoidOfSum(Shortcuts):
    """Takes the sigmoid of the sum."""

    def go_on(self, h, layer):
        return torch.sigmoid(h + layer(h))


class NoSigmoid(Shortcuts):
    """Forgets the sigmoid."""

    def go_on(self, h, layer):
        return h + layer(h)


class InPlace(Shortcuts):
    """Adds in place, which backward cannot stand."""

    def go_on(self, h, layer):
        h += torch.sigmoid(layer(h))
        return h


class FromFirst(Shortcuts):
    """Adds the first layer's output again and again."""

    def forward(self, images):
        h = start = torch.sigmoid(self.first(images.flatten(1)))
        for layer in self.hidden:
            h = start + torch.sigmoid(layer(h))
        return self.last(h)


class Unflattened(Shortcuts):
    """Forgets that images have four axes."""

    def forward(self, images):
        h = torch.sigmoid(self.first(images))
        for layer in self.hidden:
            h = self.go_on(h, layer)
        return self.last(h)


class Probability(Shortcuts):
    """Returns a probability instead of a logit."""

    def forward(self, images):
        return torch.sigmoid(super().forward(images))


class Detached(Shortcuts):
    """Computes without gradients."""

    def forward(self, images):
        return super().forward(images).detach()


# --- 07.4 ----------------------------------------------------------------------------------------


class RMSprop(torch.optim.Optimizer):
    def __init__(self, params, lr=0.01, alpha=0.99, eps=1e-8):
        super().__init__(params, {"lr": lr, "alpha": alpha, "eps": eps})

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            self.group = group
            for parameter in group["params"]:
                if parameter.grad is not None:
                    self.move(parameter, parameter.grad, group["alpha"], group["eps"])

    def move(self, parameter, gradient, alpha, eps):
        v = self.average(self.remembered(parameter), gradient, alpha)
        self.state[parameter]["average"] = v
        parameter -= self.group["lr"] * self.direction(v, gradient, eps)

    def remembered(self, parameter):
        return self.state[parameter].get("average", torch.zeros_like(parameter))

    def average(self, v, gradient, alpha):
        return alpha * v + (1 - alpha) * gradient**2

    def direction(self, v, gradient, eps):
        return gradient / (v.sqrt() + eps)


class RMSpropInPlace(torch.optim.Optimizer):
    """The same, with operations in place, and without the decorator."""

    def __init__(self, params, lr=0.01, alpha=0.99, eps=1e-8):
        super().__init__(params, {"lr": lr, "alpha": alpha, "eps": eps})

    def step(self):
        for group in self.param_groups:
            for parameter in group["params"]:
                gradient = parameter.grad
                if gradient is None:
                    continue
                state = self.state[parameter]
                if not state:
                    state["v"] = torch.zeros_like(parameter.data)
                state["v"].mul_(group["alpha"]).addcmul_(
                    gradient, gradient, value=1 - group["alpha"]
                )
                divisor = state["v"].sqrt().add_(group["eps"])
                parameter.data.addcdiv_(gradient, divisor, value=-group["lr"])


class EpsUnderRoot(RMSprop):
    """Adds eps before the root."""

    def direction(self, v, gradient, eps):
        return gradient / (v + eps).sqrt()


class NoRoot(RMSprop):
    """Forgets the root."""

    def direction(self, v, gradient, eps):
        return gradient / (v + eps)


class Exchanged(RMSprop):
    """Exchanges alpha and 1 - alpha."""

    def average(self, v, gradient, alpha):
        return (1 - alpha) * v + alpha * gradient**2


class Adagrad(RMSprop):
    """Adds up the squares."""

    def average(self, v, gradient, alpha):
        return v + gradient**2


class Forgetful(RMSprop):
    """Does not keep the average."""

    def remembered(self, parameter):
        return torch.zeros_like(parameter)


class FirstSquare(RMSprop):
    """Begins with the first gradient's square."""

    def remembered(self, parameter):
        return self.state[parameter].get("average", parameter.grad**2)


class OneNumber(RMSprop):
    """Averages over the whole tensor."""

    def average(self, v, gradient, alpha):
        return super().average(v, (gradient**2).mean().sqrt(), alpha)


class OldAverage(RMSprop):
    """Divides by the average before it is brought up to date."""

    def move(self, parameter, gradient, alpha, eps):
        v = self.remembered(parameter)
        parameter -= self.group["lr"] * self.direction(v, gradient, eps)
        self.state[parameter]["average"] = self.average(v, gradient, alpha)


class Uphill(RMSprop):
    """Adds the step."""

    def direction(self, v, gradient, eps):
        return -super().direction(v, gradient, eps)


class NotMoving(RMSprop):
    """Computes new values and does not write them into the parameter."""

    def move(self, parameter, gradient, alpha, eps):
        super().move(parameter.clone(), gradient, alpha, eps)


class OneAverage(RMSprop):
    """Keeps one average for all parameters."""

    kept = None

    def move(self, parameter, gradient, alpha, eps):
        v = self.average(0 if self.kept is None else self.kept, gradient, alpha)
        self.kept = v
        parameter -= self.group["lr"] * self.direction(v, gradient, eps)


class FirstGroup(RMSprop):
    """Looks at the first group only."""

    def step(self):
        groups, self.param_groups = self.param_groups, self.param_groups[:1]
        super().step()
        self.param_groups = groups


class Defaults(RMSprop):
    """Takes the values that the constructor got."""

    def move(self, parameter, gradient, alpha, eps):
        self.group = self.defaults
        super().move(parameter, gradient, self.defaults["alpha"], self.defaults["eps"])


class LearningRateKept(RMSprop):
    """Reads the learning rates once, at the beginning."""

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.rates = [group["lr"] for group in self.param_groups]

    @torch.no_grad()
    def step(self):
        rates = [group["lr"] for group in self.param_groups]
        for group, rate in zip(self.param_groups, self.rates, strict=True):
            group["lr"] = rate
        super().step()
        for group, rate in zip(self.param_groups, rates, strict=True):
            group["lr"] = rate


class NoneNotExpected(RMSprop):
    """Does not think of None."""

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            self.group = group
            for parameter in self.group["params"]:
                self.move(parameter, parameter.grad, self.group["alpha"], self.group["eps"])


class NoneAsZero(RMSprop):
    """Takes None for a gradient of 0, so that the average decays."""

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            self.group = group
            for parameter in self.group["params"]:
                gradient = torch.zeros_like(parameter) if parameter.grad is None else parameter.grad
                self.move(parameter, gradient, self.group["alpha"], self.group["eps"])


class NoEps(RMSprop):
    """Forgets eps for tiny averages."""

    def direction(self, v, gradient, eps):
        return gradient / (v.sqrt() + (eps if eps > 1e-6 else 0))


class GradientChanged(RMSprop):
    """Squares the gradient in place."""

    def average(self, v, gradient, alpha):
        kept = gradient.clone()
        self.kept = kept
        return alpha * v + (1 - alpha) * gradient.pow_(2)

    def direction(self, v, gradient, eps):
        return self.kept / (v.sqrt() + eps)


class Clearing(RMSprop):
    """Clears the gradients in `step` itself."""

    def step(self):
        super().step()
        self.zero_grad()


class OwnMemory(RMSprop):
    """Keeps the averages in a dict of its own, which no state_dict knows."""

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.averages = {}

    def move(self, parameter, gradient, alpha, eps):
        v = self.average(self.averages.get(parameter, 0), gradient, alpha)
        self.averages[parameter] = v
        parameter -= self.group["lr"] * self.direction(v, gradient, eps)


class ReadyMade(torch.optim.RMSprop):
    """Calls PyTorch's."""


# --- 07.5 ----------------------------------------------------------------------------------------


def halves(data, num_held_out, seed, shuffle=True, swap=False):
    generator = torch.Generator().manual_seed(seed)
    order = torch.randperm(len(data[0]), generator=generator) if shuffle else range(len(data[0]))
    order = torch.as_tensor(list(order))
    parts = [
        tuple(part[places] for part in data)
        for places in (order[num_held_out:], order[:num_held_out])
    ]
    return parts[::-1] if swap else parts


def lowest(losses):
    finite = [loss for loss in losses if math.isfinite(loss)]
    if not finite:
        raise ValueError("no setting gave a finite loss")
    return losses.index(min(finite))


def choose(settings, fit, score, train_data, test_data, num_held_out, seed, pick=lowest, **options):
    kept, held_out = halves(train_data, num_held_out, seed, **options)
    losses = [score(fit(setting, kept), held_out) for setting in settings]
    best = settings[pick(losses)]
    return best, losses, score(fit(best, train_data), test_data)


def choose_in_loop(settings, fit, score, train_data, test_data, num_held_out, seed):
    """By a loop, with PyTorch's own splitting."""
    whole = torch.utils.data.TensorDataset(*train_data)
    sizes = [len(whole) - num_held_out, num_held_out]
    split = torch.utils.data.random_split(whole, sizes, torch.Generator().manual_seed(seed))
    kept, held_out = (part[:] if hasattr(part, "shape") else whole[part.indices] for part in split)
    best, best_loss, losses = None, math.inf, []
    for setting in settings:
        losses.append(torch.tensor(score(fit(setting, kept), held_out)))
        if losses[-1] < best_loss:
            best, best_loss = setting, losses[-1]
    if best is None:
        raise ValueError("all losses are NaN or infinite")
    return [best, torch.stack(losses), torch.tensor(score(fit(best, train_data), test_data))]


def choose_by_min(*arguments):
    """Trusts `min`, which keeps a NaN that comes first."""
    return choose(*arguments, pick=lambda losses: losses.index(min(losses)))


def choose_by_argmin(*arguments):
    """Trusts `argmin`, for which NaN is the least."""
    return choose(*arguments, pick=lambda losses: int(torch.tensor(losses).argmin()))


def choose_last_of_ties(*arguments):
    """Compares with `<=`."""
    return choose(*arguments, pick=lambda losses: len(losses) - 1 - lowest(losses[::-1]))


def choose_highest(*arguments):
    """Takes losses for accuracies."""
    return choose(*arguments, pick=lambda losses: lowest([-loss for loss in losses]))


def choose_any(*arguments):
    """Takes the first setting where no loss is finite."""
    return choose(*arguments, pick=lambda x: lowest(x) if any(map(math.isfinite, x)) else 0)


def choose_raising_something(*arguments):
    """Divides by the number of finite losses, which may be 0."""
    return choose(*arguments, pick=lambda x: lowest(x) if 1 / sum(map(math.isfinite, x)) else 0)


def choose_by_test(settings, fit, score, train_data, test_data, num_held_out, seed):
    """Chooses by the test data."""
    losses = [score(fit(setting, train_data), test_data) for setting in settings]
    return settings[lowest(losses)], losses, min(losses)


def choose_watching_test(settings, fit, score, train_data, test_data, num_held_out, seed):
    """Looks at the test loss of every setting, though it chooses by the held-out part."""
    kept, held_out = halves(train_data, num_held_out, seed)
    models = [fit(setting, kept) for setting in settings]
    losses = [score(model, held_out) for model in models]
    tests = [score(model, test_data) for model in models]
    return settings[lowest(losses)], losses, tests[lowest(losses)]


def choose_by_heart(settings, fit, score, train_data, test_data, num_held_out, seed):
    """Fits on all training data, the held-out part among them."""
    _, held_out = halves(train_data, num_held_out, seed)
    losses = [score(fit(setting, train_data), held_out) for setting in settings]
    best = settings[lowest(losses)]
    return best, losses, score(fit(best, train_data), test_data)


def choose_on_fitted(settings, fit, score, train_data, test_data, num_held_out, seed):
    """Scores on what was fitted."""
    kept, _ = halves(train_data, num_held_out, seed)
    losses = [score(fit(setting, kept), kept) for setting in settings]
    best = settings[lowest(losses)]
    return best, losses, score(fit(best, train_data), test_data)


def choose_with_more_data(settings, fit, score, train_data, test_data, num_held_out, seed):
    """Adds the test data to what is fitted in the end."""
    best, losses, _ = choose(settings, fit, score, train_data, test_data, num_held_out, seed)
    everything = [torch.cat(parts) for parts in zip(train_data, test_data, strict=True)]
    return best, losses, score(fit(best, everything), test_data)


def choose_new_splits(settings, fit, score, train_data, test_data, num_held_out, seed):
    """Splits anew for each setting."""
    losses = []
    for number, setting in enumerate(settings):
        kept, held_out = halves(train_data, num_held_out, seed + number)
        losses.append(score(fit(setting, kept), held_out))
    best = settings[lowest(losses)]
    return best, losses, score(fit(best, train_data), test_data)


def choose_first_rows(*arguments):
    """Holds out the first rows."""
    return choose(*arguments, shuffle=False)


def choose_swapped(*arguments):
    """Exchanges the two parts."""
    return choose(*arguments, swap=True)


def choose_without_seed(settings, fit, score, train_data, test_data, num_held_out, seed):
    """Forgets the seed."""
    fresh = int(torch.randint(10**6, (1,)))
    return choose(settings, fit, score, train_data, test_data, num_held_out, fresh)


def choose_fixed_seed(settings, fit, score, train_data, test_data, num_held_out, seed):
    """Takes a seed of its own."""
    return choose(settings, fit, score, train_data, test_data, num_held_out, 0)


def choose_not_refitted(settings, fit, score, train_data, test_data, num_held_out, seed):
    """Tests the model that saw only a part of the training data."""
    kept, held_out = halves(train_data, num_held_out, seed)
    losses = [score(fit(setting, kept), held_out) for setting in settings]
    best = settings[lowest(losses)]
    return best, losses, score(fit(best, kept), test_data)


def choose_place(*arguments):
    """Returns the place of the setting."""
    best, losses, test_loss = choose(*arguments)
    return arguments[0].index(best), losses, test_loss


def choose_held_out_loss(*arguments):
    """Reports the loss that chose."""
    best, losses, _ = choose(*arguments)
    return best, losses, losses[lowest(losses)]


def choose_finite_losses(*arguments):
    """Leaves the losses that are not finite out of the list."""
    best, losses, test_loss = choose(*arguments)
    return best, [loss for loss in losses if math.isfinite(loss)], test_loss


RIGHT = [
    *[("07.1", bce), ("07.1", bce_by_absolute_value)],
    *[("07.2", (build, count)), ("07.2", (Stack, count_by_matrices))],
    *[("07.3", Shortcuts), ("07.3", ShortcutsBySequential)],
    *[("07.4", RMSprop), ("07.4", RMSpropInPlace)],
    *[("07.5", choose), ("07.5", choose_in_loop)],
]
WRONG = [
    ("07.1", bce_with_kink, "is there a kink"),
    ("07.1", bce_as_written, "z = 20, y = 0: the loss is infinite"),
    ("07.1", bce_overflows, "z = 100, y = 0: the loss is infinite: float32 ends"),
    ("07.1", bce_with_epsilon, "epsilon against it"),
    ("07.1", bce_clamped, "z = 20, y = 0: the loss is 100"),
    ("07.1", bce_of_limited_logits, "z = 100, y = 0: the loss is 80"),
    ("07.1", bce_by_where, "its gradient is NaN"),
    ("07.1", bce_right_value_only, "its gradient is 0"),
    ("07.1", bce_summed, "that is the sum"),
    ("07.1", bce_exchanged, "are exchanged"),
    ("07.1", bce_of_positives, "only the term of the positive"),
    ("07.1", bce_of_hard_targets, "may lie between"),
    ("07.1", bce_without_sign, "never negative"),
    ("07.1", bce_sigmoid_twice, "taken twice"),
    ("07.1", bce_broadcasts, "broadcasting"),
    ("07.1", bce_asserts, "AssertionError, not ValueError"),
    ("07.1", bce_item, "without `.item()`"),
    ("07.1", bce_ready_made, "has inside"),
    ("07.2", (build_without_flatten, count), "flattened first"),
    ("07.2", (build_all_activated, count), "follows the last layer"),
    ("07.2", (build_with_sigmoid, count), "ends in a sigmoid"),
    ("07.2", (build_linear, count), "no activation between"),
    ("07.2", (build_relu, count), "ReLU, whatever"),
    ("07.2", (build_sharing, count), "one PReLU for all"),
    ("07.2", (build_from_input, count), "what the one before gives"),
    ("07.2", (build_headless, count), "single logit, is missing"),
    ("07.2", (build_extra, count), "one layer is enough"),
    ("07.2", (build_reversed, count), "in which order"),
    ("07.2", (build_emptying, count), "list of hidden sizes itself"),
    ("07.2", (build_once, count), "share their weights"),
    ("07.2", (HiddenStack, count), "plain list"),
    ("07.2", (build, count_weights), "biases are missing"),
    ("07.2", (build, count_hidden), "the last layer"),
    ("07.2", (build, count_one_bias), "a bias for each output"),
    ("07.2", (build, count_units), "units, not weights"),
    ("07.2", build_linear, "a pair of functions"),
    ("07.3", PlainList, "is a list, into which the net does not look"),
    ("07.3", OneLayer, "one and the same layer"),
    ("07.3", OneTooFew, "has 2 layers"),
    ("07.3", NoShortcut, "there is no shortcut"),
    ("07.3", SigmoidOfSum, "sigmoid is taken of the sum"),
    ("07.3", NoSigmoid, "no sigmoid in the rounds"),
    ("07.3", InPlace, "`+=` overwrites"),
    ("07.3", FromFirst, "what `first` gave"),
    ("07.3", Unflattened, "flattened first"),
    ("07.3", Probability, "a logit is asked for"),
    ("07.3", Detached, "detached"),
    ("07.4", EpsUnderRoot, "under the root"),
    ("07.4", NoRoot, "square root is missing"),
    ("07.4", Exchanged, "exchanged"),
    ("07.4", Adagrad, "Adagrad"),
    ("07.4", Forgetful, "remembers no earlier step"),
    ("07.4", FirstSquare, "must begin with 0"),
    ("07.4", OneNumber, "each of its numbers"),
    ("07.4", OldAverage, "own square"),
    ("07.4", Uphill, "uphill"),
    ("07.4", NotMoving, "no parameter moves"),
    ("07.4", OneAverage, "its own average"),
    ("07.4", FirstGroup, "the second one never move"),
    ("07.4", Defaults, "differ from group to group"),
    ("07.4", LearningRateKept, "in each step"),
    ("07.4", NoneNotExpected, "nothing is to be done then"),
    ("07.4", NoneAsZero, "left alone"),
    ("07.4", NoEps, "0 / 0"),
    ("07.4", GradientChanged, "changes the gradient"),
    ("07.4", Clearing, "`zero_grad` is called elsewhere"),
    ("07.4", OwnMemory, "not in `self.state`"),
    ("07.4", ReadyMade, "PyTorch's own"),
    ("07.5", choose_by_min, "no comparison with NaN"),
    ("07.5", choose_by_argmin, "no comparison with NaN"),
    ("07.5", choose_last_of_ties, "the first is asked for"),
    ("07.5", choose_highest, "the lowest loss"),
    ("07.5", choose_any, "yet a setting is chosen"),
    ("07.5", choose_raising_something, "ZeroDivisionError, not ValueError"),
    ("07.5", choose_by_test, "the test part is scored 3 times"),
    ("07.5", choose_watching_test, "the test part is scored 3 times"),
    ("07.5", choose_by_heart, "among those that it was fitted on"),
    ("07.5", choose_on_fitted, "among those that it was fitted on"),
    ("07.5", choose_with_more_data, "fitted on test examples"),
    ("07.5", choose_new_splits, "split once"),
    ("07.5", choose_first_rows, "not drawn at random"),
    ("07.5", choose_swapped, "the other way round"),
    ("07.5", choose_without_seed, "another split each time"),
    ("07.5", choose_fixed_seed, "whatever the seed"),
    ("07.5", choose_not_refitted, "fit the best setting anew"),
    ("07.5", choose_place, "none of them"),
    ("07.5", choose_held_out_loss, "on the held-out part"),
    ("07.5", choose_finite_losses, "are returned, where `score` gave"),
]


def as_answer(number, function):
    """What `check` is handed: a pair of functions in 07.2."""
    return (function, function) if number == "07.2" else function


class StubModule(nn.Module):
    def __init__(self, *arguments):
        super().__init__()
        raise NotImplementedError


class StubOptimizer(RMSprop):
    def step(self):
        raise NotImplementedError


@pytest.mark.parametrize(("number", "answer"), [("07.3", StubModule), ("07.4", StubOptimizer)])
def test_class_with_stubs_is_to_do(capsys, number, answer):
    assert verdict(capsys, number, answer).startswith("to do")


KINDS = [
    None,
    "1.0",
    [1.0],
    True,
    math.nan,
    torch.zeros(7),
    (None,) * 3,
    ("a",) * 3,
    nn.ReLU(),
    nn.Linear(2, 2),
]
