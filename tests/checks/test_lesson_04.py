"""The checks of lesson 04 pass two right answers each, and fail stubs and learners' mistakes.

The docstring of each wrong answer names the mistake; `said` is what the check must say about it.
"""

import copy
import math

import torch
import torch.nn.functional as F
from every_lesson import *
from sklearn.preprocessing import StandardScaler
from torch import nn

from course_utils import train

# --- 04.1 ----------------------------------------------------------------------------------------


def train_full_batch(model, inputs, targets, epochs, lr):
    optimizer = torch.optim.SGD(model.parameters(), lr=lr)
    for _ in range(epochs):
        optimizer.zero_grad()
        F.mse_loss(model(inputs), targets).backward()
        optimizer.step()


def fit_scaled(
    model,
    train_data,
    val_data,
    epochs,
    lr,
    statistics=None,
    forward=lambda y, mean, std: (y - mean) / std,
    back=lambda z, mean, std: z * std + mean,
    error=F.mse_loss,
):
    """`statistics` is the mean and standard deviation, by default those of the training targets."""
    inputs, targets = train_data
    mean, std = statistics or (targets.mean(), targets.std())
    train_full_batch(model, inputs, forward(targets, mean, std), epochs, lr)
    with torch.no_grad():
        predictions = back(model(val_data[0]), mean, std)
    return predictions, error(predictions, val_data[1]).item()


def fit_with_scaler(model, train_data, val_data, epochs, lr):
    scaler = StandardScaler().fit(train_data[1])
    targets = torch.tensor(scaler.transform(train_data[1]), dtype=torch.float32)
    for _ in range(epochs):
        gradients = torch.autograd.grad(
            ((model(train_data[0]) - targets) ** 2).mean(), list(model.parameters())
        )
        for parameter, gradient in zip(model.parameters(), gradients, strict=True):
            parameter.data -= lr * gradient
    predictions = torch.tensor(scaler.inverse_transform(model(val_data[0]).detach()))
    return [predictions, ((predictions - val_data[1]) ** 2).mean()]


def never_mapped_back(model, train_data, val_data, epochs, lr):
    """Returns the model's outputs as they are."""
    return fit_scaled(model, train_data, val_data, epochs, lr, back=lambda z, mean, std: z)


def statistics_of_all(model, train_data, val_data, epochs, lr):
    """Takes the mean and standard deviation before the data are split."""
    both = torch.cat([train_data[1], val_data[1]])
    return fit_scaled(model, train_data, val_data, epochs, lr, (both.mean(), both.std()))


def mapped_back_with_validation(model, train_data, val_data, epochs, lr):
    """Standardizes each set with statistics of its own."""
    mean, std = val_data[1].mean(), val_data[1].std()
    return fit_scaled(
        model, train_data, val_data, epochs, lr, back=lambda z, *_: fit_back(z, mean, std)
    )


def fit_back(z, mean, std):
    return z * std + mean


def wrong_order_back(model, train_data, val_data, epochs, lr):
    """Adds the mean first and then multiplies."""
    return fit_scaled(
        model, train_data, val_data, epochs, lr, back=lambda z, mean, std: (z + mean) * std
    )


def forgets_mean(model, train_data, val_data, epochs, lr):
    """Undoes the division only."""
    return fit_scaled(model, train_data, val_data, epochs, lr, back=lambda z, mean, std: z * std)


def forgets_std(model, train_data, val_data, epochs, lr):
    """Undoes the subtraction only."""
    return fit_scaled(model, train_data, val_data, epochs, lr, back=lambda z, mean, std: z + mean)


def by_variance(model, train_data, val_data, epochs, lr):
    """Divides by the variance."""
    targets = train_data[1]
    return fit_scaled(model, train_data, val_data, epochs, lr, (targets.mean(), targets.var()))


def not_standardized(model, train_data, val_data, epochs, lr):
    """Trains on the targets as they are."""
    return fit_scaled(model, train_data, val_data, epochs, lr, (0.0, 1.0))


def inputs_too(model, train_data, val_data, epochs, lr):
    """Standardizes the inputs as well, which nobody asked for."""
    mean, std = train_data[0].mean(dim=0), train_data[0].std(dim=0)
    scaled = [((inputs - mean) / std, targets) for inputs, targets in (train_data, val_data)]
    return fit_scaled(model, *scaled, epochs, lr)


def error_in_scaled_units(model, train_data, val_data, epochs, lr):
    """Reports the loss of the standardized targets, which is the one that training shows."""
    predictions, error = fit_scaled(model, train_data, val_data, epochs, lr)
    return predictions, error / train_data[1].var().item()


def root_of_error(model, train_data, val_data, epochs, lr):
    """Takes the root of the mean squared error."""
    predictions, error = fit_scaled(model, train_data, val_data, epochs, lr)
    return predictions, math.sqrt(error)


def summed_error(model, train_data, val_data, epochs, lr):
    """Adds the squares up."""
    predictions, error = fit_scaled(model, train_data, val_data, epochs, lr)
    return predictions, error * len(predictions)


def training_error(model, train_data, val_data, epochs, lr):
    """Returns the error on the training data."""
    predictions, _ = fit_scaled(copy.deepcopy(model), train_data, val_data, epochs, lr)
    return predictions, fit_scaled(model, train_data, train_data, epochs, lr)[1]


def one_epoch_short(model, train_data, val_data, epochs, lr):
    """Trains one epoch less than asked."""
    return fit_scaled(model, train_data, val_data, epochs - 1, lr)


def standardizes_in_place(model, train_data, val_data, epochs, lr):
    """Writes `targets -= mean`, which changes the caller's data."""

    def forward(targets, mean, std):
        targets -= mean
        targets /= std
        return targets

    return fit_scaled(model, train_data, val_data, epochs, lr, forward=forward)


# --- 04.2 ----------------------------------------------------------------------------------------


def huber(outputs, targets, delta):
    size = (outputs - targets).abs()
    return torch.where(size <= delta, 0.5 * size**2, delta * (size - 0.5 * delta)).mean()


def huber_by_loop(outputs, targets, delta):
    total = 0.0
    for output, target in zip(outputs.reshape(-1), targets.reshape(-1), strict=True):
        size = abs(output - target)
        square, straight = size * size / 2, delta * size - delta**2 / 2
        total = total + (straight if size > delta else square)
    return total / targets.numel()


def only_squares(outputs, targets, delta):
    """Leaves out the straight branch."""
    return (0.5 * (outputs - targets) ** 2).mean()


def only_straight(outputs, targets, delta):
    """Leaves out the curved branch."""
    return (delta * ((outputs - targets).abs() - 0.5 * delta)).mean()


def branches_swapped(outputs, targets, delta):
    """Has the condition the wrong way round."""
    size = (outputs - targets).abs()
    return torch.where(size > delta, 0.5 * size**2, delta * (size - 0.5 * delta)).mean()


def forgets_absolute_value(outputs, targets, delta):
    """Asks whether the error itself, not its size, is at most delta."""
    u = outputs - targets
    return torch.where(u <= delta, 0.5 * u**2, delta * (u.abs() - 0.5 * delta)).mean()


def without_half(outputs, targets, delta):
    """Forgets the ½ of the square."""
    size = (outputs - targets).abs()
    return torch.where(size <= delta, size**2, delta * (size - 0.5 * delta)).mean()


def without_any_half(outputs, targets, delta):
    """Forgets the ½ everywhere, so that all of it is doubled."""
    return 2 * huber(outputs, targets, delta)


def jumps_at_delta(outputs, targets, delta):
    """Takes delta·|u| for the straight branch, which does not meet the other one."""
    size = (outputs - targets).abs()
    return torch.where(size <= delta, 0.5 * size**2, delta * size).mean()


def straight_branch_of_delta_one(outputs, targets, delta):
    """Forgets the factor delta of the straight branch."""
    size = (outputs - targets).abs()
    return torch.where(size <= delta, 0.5 * size**2, size - 0.5 * delta).mean()


def kink_at_delta(outputs, targets, delta):
    """Makes the branches meet, as u² and delta·|u|, but not their slopes."""
    size = (outputs - targets).abs()
    return torch.where(size <= delta, size**2, delta * size).mean()


def smooth_l1(outputs, targets, delta):
    """Takes `SmoothL1Loss`, which is Huber's divided by delta."""
    return F.smooth_l1_loss(outputs, targets, beta=delta)


def ignores_delta(outputs, targets, delta):
    """Has delta = 1 written into it."""
    return huber(outputs, targets, 1.0)


def sum_of_errors(outputs, targets, delta):
    """Adds up instead of taking the mean."""
    return huber(outputs, targets, delta) * targets.numel()


def without_graph(outputs, targets, delta):
    """Detaches, so that nothing can be trained with it."""
    return huber(outputs.detach(), targets, delta)


def half_the_graph(outputs, targets, delta):
    """Computes one branch from numbers taken out of the graph."""
    size = (outputs - targets).abs()
    straight = delta * (size - 0.5 * delta)
    return torch.where(size <= delta, 0.5 * size**2, straight.detach()).mean()


# --- 04.3 ----------------------------------------------------------------------------------------


def keep_best(
    model, train_data, val_data, epochs, lr, copied=copy.deepcopy, better=lambda new, old: new < old
):
    optimizer = torch.optim.SGD(model.parameters(), lr=lr)
    best_loss, best_state, best_epoch = math.inf, None, None
    for epoch in range(1, epochs + 1):
        step(model, optimizer, train_data)
        loss = validate(model, val_data)
        if best_epoch is None or better(loss, best_loss):
            best_loss, best_epoch = loss, epoch
            best_state = copied(model.state_dict())
    return best_state, best_epoch


def step(model, optimizer, data):
    model.train()
    loss = F.mse_loss(model(data[0]), data[1])
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


def validate(model, data):
    model.eval()
    with torch.no_grad():
        return F.mse_loss(model(data[0]), data[1]).item()


def keep_best_with_train(model, train_data, val_data, epochs, lr):
    found = {"val_loss": math.inf}

    def keep(row):
        if row["val_loss"] < found["val_loss"]:
            found.update(row)
            found["state"] = {name: value.clone() for name, value in model.state_dict().items()}

    optimizer = torch.optim.SGD(model.parameters(), lr=lr)
    loss_fn = nn.MSELoss()
    options = {"epochs": epochs, "on_epoch_end": keep, "progress": False}
    train(model, loss_fn, optimizer, [train_data], [val_data], **options)
    return [found["state"], torch.tensor(found["epoch"])]


def keep_all_then_choose(model, train_data, val_data, epochs, lr):
    optimizer, copies = torch.optim.SGD(model.parameters(), lr=lr), []
    for _ in range(epochs):
        step(model, optimizer, train_data)
        copies.append(copy.deepcopy(model))
    losses = [validate(kept, val_data) for kept in copies]
    best = losses.index(min(losses))
    return copies[best].state_dict(), best + 1


def live_reference(model, train_data, val_data, epochs, lr):
    """Keeps `model.state_dict()` itself."""
    return keep_best(model, train_data, val_data, epochs, lr, copied=lambda state: state)


def shallow_copy(model, train_data, val_data, epochs, lr):
    """Copies the dict, but not the tensors in it."""
    return keep_best(model, train_data, val_data, epochs, lr, copied=dict)


def loads_best_and_returns_live(model, train_data, val_data, epochs, lr):
    """Puts the best weights back into the model and returns the model's live state."""
    state, epoch = keep_best(model, train_data, val_data, epochs, lr)
    model.load_state_dict(state)
    return model.state_dict(), epoch


def best_by_training_loss(model, train_data, val_data, epochs, lr):
    """Goes by the training loss."""
    optimizer = torch.optim.SGD(model.parameters(), lr=lr)
    best_loss = math.inf
    for epoch in range(1, epochs + 1):
        loss = step(model, optimizer, train_data)
        validate(model, val_data)
        if loss < best_loss:
            best_loss, best_epoch = loss, epoch
            best_state = copy.deepcopy(model.state_dict())
    return best_state, best_epoch


def last_epoch(model, train_data, val_data, epochs, lr):
    """Returns the model as it is at the end."""
    return keep_best(model, train_data, val_data, epochs, lr, better=lambda *_: True)


def highest_loss(model, train_data, val_data, epochs, lr):
    """Has the comparison the wrong way round."""
    return keep_best(model, train_data, val_data, epochs, lr, better=lambda new, old: new > old)


def counts_from_zero(model, train_data, val_data, epochs, lr):
    """Calls the first epoch 0."""
    state, epoch = keep_best(model, train_data, val_data, epochs, lr)
    return state, epoch - 1


def validates_before_the_step(model, train_data, val_data, epochs, lr):
    """Validates at the beginning of an epoch, and keeps the state that was validated."""
    optimizer = torch.optim.SGD(model.parameters(), lr=lr)
    best_loss = math.inf
    for epoch in range(1, epochs + 1):
        loss = validate(model, val_data)
        if loss < best_loss:
            best_loss, best_epoch = loss, epoch
            best_state = copy.deepcopy(model.state_dict())
        step(model, optimizer, train_data)
    return best_state, best_epoch


def keeps_after_the_step(model, train_data, val_data, epochs, lr):
    """Validates at the beginning of an epoch, and keeps the state of its end."""
    optimizer = torch.optim.SGD(model.parameters(), lr=lr)
    best_loss = math.inf
    for epoch in range(1, epochs + 1):
        loss = validate(model, val_data)
        step(model, optimizer, train_data)
        if loss < best_loss:
            best_loss, best_epoch = loss, epoch
            best_state = copy.deepcopy(model.state_dict())
    return best_state, best_epoch


def stops_at_the_first_rise(model, train_data, val_data, epochs, lr):
    """Takes the first rise of the validation loss for the end of progress."""
    optimizer = torch.optim.SGD(model.parameters(), lr=lr)
    best_loss, best_epoch = math.inf, 0
    for epoch in range(1, epochs + 1):
        step(model, optimizer, train_data)
        loss = validate(model, val_data)
        if loss > best_loss:
            break
        best_loss, best_epoch, best_state = loss, epoch, copy.deepcopy(model.state_dict())
    return best_state, best_epoch


def beats_the_epoch_before(model, train_data, val_data, epochs, lr):
    """Compares with the epoch before, not with the best so far."""
    optimizer = torch.optim.SGD(model.parameters(), lr=lr)
    previous = math.inf
    for epoch in range(1, epochs + 1):
        step(model, optimizer, train_data)
        loss = validate(model, val_data)
        if loss < previous:
            best_epoch, best_state = epoch, copy.deepcopy(model.state_dict())
        previous = loss
    return best_state, best_epoch


def never_evaluating(model, train_data, val_data, epochs, lr):
    """Forgets `model.eval()`."""
    model.eval = model.train
    return keep_best(model, train_data, val_data, epochs, lr)


def never_back_to_training(model, train_data, val_data, epochs, lr):
    """Calls `model.train()` once, before the loop."""
    model.train()
    model.train = lambda mode=True: model
    model.eval = lambda: nn.Module.train(model, False)
    return keep_best(model, train_data, val_data, epochs, lr)


def validates_with_gradients(model, train_data, val_data, epochs, lr):
    """Forgets `torch.no_grad()`."""
    optimizer = torch.optim.SGD(model.parameters(), lr=lr)
    best_loss = math.inf
    for epoch in range(1, epochs + 1):
        step(model, optimizer, train_data)
        model.eval()
        loss = F.mse_loss(model(val_data[0]), val_data[1])
        if loss < best_loss:
            best_loss, best_epoch = loss, epoch
            best_state = copy.deepcopy(model.state_dict())
    return best_state, best_epoch


def trains_on_validation(model, train_data, val_data, epochs, lr):
    """Takes a step on the validation loss too."""
    optimizer = torch.optim.SGD(model.parameters(), lr=lr)
    best_loss = math.inf
    for epoch in range(1, epochs + 1):
        step(model, optimizer, train_data)
        loss = step(model, optimizer, val_data)
        if loss < best_loss:
            best_loss, best_epoch = loss, epoch
            best_state = copy.deepcopy(model.state_dict())
    return best_state, best_epoch


def another_learning_rate(model, train_data, val_data, epochs, lr):
    """Ignores the argument."""
    return keep_best(model, train_data, val_data, epochs, 0.3 * lr)


# --- 04.4 ----------------------------------------------------------------------------------------


def origin_slope(x, y):
    return (x * y).sum() / (x * x).sum()


def origin_slope_by_descent(x, y):
    w, curvature = 0.0, sum(float(value) ** 2 for value in x) / len(x)
    for _ in range(60):
        errors = w * x - y
        w -= 0.3 / curvature * (2 * errors * x).mean().item()
    return w


def ratio_of_means(x, y):
    """Divides the mean of y by the mean of x."""
    return y.mean() / x.mean()


def mean_of_ratios(x, y):
    """Averages the ratios y / x."""
    return (y / x).mean().item()


def slope_with_bias(x, y):
    """Gives the slope of the usual line, which has a bias."""
    if len(x) == 1:
        return origin_slope(x, y)
    return ((x - x.mean()) * y).sum() / ((x - x.mean()) ** 2).sum()


def upside_down(x, y):
    """Divides the squares by the products."""
    return (x * x).sum() / (x * y).sum()


def predicts_x(x, y):
    """Divides by the squares of y."""
    return (x * y).sum() / (y * y).sum()


def only_products(x, y):
    """Adds up the products and stops there."""
    return (x @ y).item()


def mean_product(x, y):
    """Averages the products and stops there."""
    return (x * y).mean()


def root_of_squares(x, y):
    """Divides by the root of the squares' sum."""
    return (x * y).sum() / x.norm()


RIGHT = [
    *[("04.1", fit_scaled), ("04.1", fit_with_scaler)],
    *[("04.2", huber), ("04.2", huber_by_loop)],
    *[("04.3", keep_best), ("04.3", keep_best_with_train), ("04.3", keep_all_then_choose)],
    *[("04.4", origin_slope), ("04.4", origin_slope_by_descent)],
]
WRONG = [
    ("04.1", never_mapped_back, "still in standardized units"),
    ("04.1", statistics_of_all, "validation targets went"),
    ("04.1", mapped_back_with_validation, "validation set's statistics"),
    ("04.1", wrong_order_back, "wrong order"),
    ("04.1", forgets_mean, "without the mean"),
    ("04.1", forgets_std, "without the standard deviation"),
    ("04.1", by_variance, "by the variance"),
    ("04.1", not_standardized, "the targets as they came"),
    ("04.1", inputs_too, "standardized inputs"),
    ("04.1", error_in_scaled_units, "error is wrong: it is in standardized units"),
    ("04.1", root_of_error, "root of the mean"),
    ("04.1", summed_error, "sum of the squares"),
    ("04.1", training_error, "not the mean squared error of the predictions"),
    ("04.1", one_epoch_short, "are not those that"),
    ("04.1", standardizes_in_place, "changes the tensors it was given"),
    ("04.2", only_squares, "the large ones too"),
    ("04.2", only_straight, "the small ones too"),
    ("04.2", branches_swapped, "wrong way round"),
    ("04.2", forgets_absolute_value, "large negative error"),
    ("04.2", without_half, "½ is missing"),
    ("04.2", without_any_half, "twice as large"),
    ("04.2", jumps_at_delta, "do not meet"),
    ("04.2", straight_branch_of_delta_one, "do not meet"),
    ("04.2", kink_at_delta, "with a kink"),
    ("04.2", smooth_l1, "divided by delta"),
    ("04.2", ignores_delta, "delta is not used"),
    ("04.2", sum_of_errors, "the sum, not the mean"),
    ("04.2", without_graph, "no graph behind it"),
    ("04.2", half_the_graph, "not its gradient"),
    ("04.3", live_reference, "gone on changing with the model"),
    ("04.3", shallow_copy, "gone on changing with the model"),
    ("04.3", loads_best_and_returns_live, "share memory"),
    ("04.3", best_by_training_loss, "lowest training loss"),
    ("04.3", last_epoch, "the last is named"),
    ("04.3", highest_loss, "worst"),
    ("04.3", counts_from_zero, "one too low"),
    ("04.3", validates_before_the_step, "before its step"),
    ("04.3", keeps_after_the_step, "before its step"),
    ("04.3", stops_at_the_first_rise, "after the first rise"),
    ("04.3", beats_the_epoch_before, "not all before it"),
    ("04.3", never_evaluating, "in training mode"),
    ("04.3", never_back_to_training, "trains in evaluation mode"),
    ("04.3", validates_with_gradients, "gradients on"),
    ("04.3", trains_on_validation, "gradients on"),
    ("04.3", another_learning_rate, "that of none"),
    ("04.4", ratio_of_means, "ratio of the means"),
    ("04.4", mean_of_ratios, "mean of the ratios"),
    ("04.4", slope_with_bias, "*with* a bias"),
    ("04.4", upside_down, "upside down"),
    ("04.4", predicts_x, "predicts x from y"),
    ("04.4", only_products, "sum of products"),
    ("04.4", mean_product, "mean of products"),
    ("04.4", root_of_squares, "has a smaller loss"),
]
KINDS = [None, "1.0", [1.0], True, math.nan, torch.zeros(7), (None, None), ({}, 1), (1.0, math.nan)]
