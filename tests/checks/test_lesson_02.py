"""The checks of lesson 02 pass two right answers each, and fail stubs and learners' mistakes.

The docstring of each wrong answer names the mistake; `said` is what the check must say about it.
"""

import math

import torch
from every_lesson import *
from torch import nn

# --- 02.1 ----------------------------------------------------------------------------------------


def wild(x):
    return torch.sin(x - 2) * (x + 2) ** 2 + torch.sqrt(torch.abs(torch.cos(x)))


def descend(start, lr, steps):
    x = torch.tensor(float(start), requires_grad=True)
    for _ in range(steps):
        wild(x).backward()
        x.data -= lr * x.grad
        x.grad.zero_()
    return x.item()


def descend_with_optimizer(start, lr, steps):
    x = nn.Parameter(torch.tensor([start], dtype=torch.float64))
    optimizer = torch.optim.SGD([x], lr=lr)
    for _ in range(steps):
        optimizer.zero_grad()
        wild(x).sum().backward()
        optimizer.step()
    return x.detach()


def climb(start, lr, steps):
    """Adds the gradient instead of subtracting it."""
    return descend(start, -lr, steps)


def never_zeroed(start, lr, steps):
    """Forgets to set the gradient to zero."""
    x = torch.tensor(start, requires_grad=True)
    for _ in range(steps):
        wild(x).backward()
        x.data -= lr * x.grad
    return x.item()


def returns_start(start, lr, steps):
    """Moves a copy and returns the start."""
    descend(start, lr, steps)
    return start


def one_step_short(start, lr, steps):
    """Starts counting at 1 and stops before `steps`."""
    return descend(start, lr, len(range(1, steps)))


def single_step(start, lr, steps):
    """Has the `return` inside the loop."""
    return descend(start, lr, 1)


def forgets_absolute_value(start, lr, steps):
    """Writes sqrt(cos x) with max(cos x, 0), having met NaN, instead of |cos x|."""
    x = torch.tensor(start, requires_grad=True)
    for _ in range(steps):
        value = torch.sin(x - 2) * (x + 2) ** 2 + torch.sqrt(torch.cos(x).clamp(min=1e-9))
        x = (x - lr * torch.autograd.grad(value, x)[0]).detach().requires_grad_()
    return x.item()


def own_learning_rate(start, lr, steps):
    """Ignores the argument and uses the lesson's 0.1."""
    return descend(start, 0.1, 3)


# --- 02.2 ----------------------------------------------------------------------------------------


def two(x, y):
    return torch.exp(torch.sin(x) ** 2) / (x - y) ** 2 + (x - y) ** 4


def minimize(lr, steps, function=two, learned=("x", "y"), start=(0.2, 10.0)):
    x, y = (nn.Parameter(torch.tensor(value)) for value in start)
    optimizer = torch.optim.SGD([{"x": x, "y": y}[name] for name in learned], lr=lr)
    for _ in range(steps):
        optimizer.zero_grad()
        function(x, y).backward()
        optimizer.step()
    return x.item(), y.item()


def minimize_by_hand(lr, steps):
    both = torch.tensor([0.2, 10.0], dtype=torch.float64, requires_grad=True)
    for _ in range(steps):
        (gradient,) = torch.autograd.grad(two(both[0], both[1]), both)
        both = (both - lr * gradient).detach().requires_grad_()
    return list(both)


def only_x(lr, steps):
    """Gives only x to the optimizer."""
    return minimize(lr, steps, learned=("x",))


def only_y(lr, steps):
    """Gives only y to the optimizer."""
    return minimize(lr, steps, learned=("y",))


def sine_of_square(lr, steps):
    """Reads sin(x)² as sin(x²)."""
    return minimize(
        lr, steps, lambda x, y: torch.exp(torch.sin(x**2)) / (x - y) ** 2 + (x - y) ** 4
    )


def no_step(lr, steps):
    """Forgets `optimizer.step()`."""
    return minimize(lr, 0)


def fraction_covers_all(lr, steps):
    """Puts the fourth power into the denominator."""
    return minimize(
        lr, steps, lambda x, y: torch.exp(torch.sin(x) ** 2) / ((x - y) ** 2 + (x - y) ** 4)
    )


def safe_rate_of_its_own(lr, steps):
    """Replaces a learning rate that explodes by a smaller one."""
    return minimize(min(lr, 1e-3), steps)


def with_adam(lr, steps):
    """Takes another optimizer than plain SGD."""
    x, y = nn.Parameter(torch.tensor(0.2)), nn.Parameter(torch.tensor(10.0))
    optimizer = torch.optim.Adam([x, y], lr=lr)
    for _ in range(steps):
        optimizer.zero_grad()
        two(x, y).backward()
        optimizer.step()
    return x.item(), y.item()


# --- 02.3 ----------------------------------------------------------------------------------------


def largest(a):
    return 1 / a


def largest_by_search(a):
    low, high = 0.0, 1e4
    for _ in range(200):
        middle = (low + high) / 2
        x = 1.0
        for _ in range(50):
            x -= middle * 2 * a * x
        low, high = (middle, high) if abs(x) < 1 else (low, middle)
    return torch.tensor([low])


def best_rate(a):
    """Gives the rate that arrives in one step."""
    return 1 / (2 * a)


def second_derivative_is_a(a):
    """Uses 2 divided by the curvature, but takes a for the curvature, which is 2a."""
    return 2 / a


def of_the_lesson(a):
    """Gives the lesson's border, which was for a = 1."""
    return 1.0


def careful(a):
    """Gives a rate that is safe, but not the largest."""
    return 0.1 / a


# --- 02.4 ----------------------------------------------------------------------------------------


def layer_gradients(x, W, b, targets, scale=1.0, slope=True, from_z=False):
    z = x @ W.T + b
    outputs = torch.tanh(z)
    z_grad = scale * 2 * (outputs - targets) / targets.numel()
    if slope:
        z_grad = z_grad * (1 - (z if from_z else outputs) ** 2)
    return z_grad.T @ x, z_grad.sum(dim=0), z_grad @ W


def layer_gradients_in_loops(x, W, b, targets):
    gradients = [torch.zeros(v.shape, dtype=torch.float64) for v in (W, b, x)]
    for n in range(x.shape[0]):
        for c in range(W.shape[0]):
            output = math.tanh(float(x[n].double() @ W[c].double() + b[c]))
            slope = 2 * (output - float(targets[n, c])) / targets.numel() * (1 - output**2)
            gradients[0][c] += slope * x[n]
            gradients[1][c] += slope
            gradients[2][n] += slope * W[c]
    return gradients


def sum_instead_of_mean(x, W, b, targets):
    """Forgets to divide by the number of squares."""
    return layer_gradients(x, W, b, targets, scale=targets.numel())


def mean_over_examples_only(x, W, b, targets):
    """Divides by N instead of N·C."""
    return layer_gradients(x, W, b, targets, scale=targets.shape[1])


def slope_of_square_is_u(x, W, b, targets):
    """Takes u for the slope of u²."""
    return layer_gradients(x, W, b, targets, scale=0.5)


def targets_minus_outputs(x, W, b, targets):
    """Has the error the wrong way round."""
    return layer_gradients(x, W, b, targets, scale=-1.0)


def without_tanh(x, W, b, targets):
    """Forgets the slope of tanh."""
    return layer_gradients(x, W, b, targets, slope=False)


def slope_from_z(x, W, b, targets):
    """Writes 1 - z² for the slope of tanh."""
    return layer_gradients(x, W, b, targets, from_z=True)


def bias_averaged(x, W, b, targets):
    """Averages the bias's gradient over the examples instead of adding up."""
    W_grad, b_grad, x_grad = layer_gradients(x, W, b, targets)
    return W_grad, b_grad / len(x), x_grad


RIGHT = [
    *[("02.1", descend), ("02.1", descend_with_optimizer)],
    *[("02.2", minimize), ("02.2", minimize_by_hand)],
    *[("02.3", largest), ("02.3", largest_by_search)],
    *[("02.4", layer_gradients), ("02.4", layer_gradients_in_loops)],
]
WRONG = [
    ("02.1", climb, "uphill"),
    ("02.1", never_zeroed, "add up unless set to zero"),
    ("02.1", returns_start, "has not moved"),
    ("02.1", one_step_short, "another number of steps"),
    ("02.1", single_step, "another number of steps"),
    ("02.1", forgets_absolute_value, "does not end where"),
    ("02.1", own_learning_rate, "does not end where"),
    ("02.2", only_x, "y has not moved"),
    ("02.2", only_y, "x has not moved"),
    ("02.2", sine_of_square, "not the sine of x²"),
    ("02.2", no_step, "still at the start"),
    ("02.2", fraction_covers_all, "as steep there"),
    ("02.2", safe_rate_of_its_own, "hides it"),
    ("02.2", with_adam, "not where plain SGD"),
    ("02.3", best_rate, "in one step"),
    ("02.3", second_derivative_is_a, "too large"),
    ("02.3", of_the_lesson, "for a ="),
    ("02.3", careful, "more than 2 % larger does too"),
    ("02.4", sum_instead_of_mean, "not of the mean"),
    ("02.4", mean_over_examples_only, "over the examples only"),
    ("02.4", slope_of_square_is_u, "are half"),
    ("02.4", targets_minus_outputs, "outputs minus targets"),
    ("02.4", without_tanh, "slope of tanh is missing"),
    ("02.4", slope_from_z, "other values for: W, b, x"),
    ("02.4", bias_averaged, "other values for: b"),
]
KINDS = [None, "1.0", [1.0], True, float("nan"), torch.zeros(7)]
