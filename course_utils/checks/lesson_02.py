"""Checks of the exercises of lesson 02, gradient descent."""

import math

import torch

from course_utils.checks import close, exercise, require, require_number, require_tensor


@exercise(
    "02.1",
    "Descend where the landscape is wild",
    "One step is three lines: compute f(x), get its gradient, move x against it. Repeat `steps` "
    "times.",
    "Make `x` a tensor with `requires_grad=True`; change `x.data`, and set the gradient to zero "
    "after each step.",
    "Return a plain number: `x.item()`.",
)
def check_descend(descend, generator):
    def gradient(x):
        # By hand: the derivative of sqrt|cos x| is -sin x · sign(cos x) / (2 sqrt|cos x|).
        wave = math.cos(x - 2) * (x + 2) ** 2 + 2 * math.sin(x - 2) * (x + 2)
        cos = math.cos(x)
        return wave - math.sin(x) * math.copysign(1, cos) / (2 * math.sqrt(abs(cos)))

    def walk(start, lr, steps):
        places = [start]
        for _ in range(steps):
            places.append(places[-1] - lr * gradient(places[-1]))
        return places

    # Where cos x is 0 the function has a kink, at which rounding decides: such walks tell nothing.
    smooth = []
    while len(smooth) < 12:
        start = 20 * torch.rand(1, generator=generator).item() - 4
        steps = int(torch.randint(2, 40, (1,), generator=generator))
        places = walk(start, 1e-3, steps)
        if all(abs(math.cos(x)) > 0.2 for x in places) and abs(places[-1] - start) > 0.05:
            smooth.append((start, steps, places))

    for start, steps, places in smooth:
        end = require_number(descend(start, 1e-3, steps), "what `descend_wild` returns")
        case = f"from {start:.2f} with lr 0.001 and {steps} steps"
        uphill = start + 1e-3 * gradient(start)
        require(
            not close(descend(start, 1e-3, 1), uphill, 1e-4, 1e-4),
            "the first step goes uphill: the gradient is to be subtracted",
        )
        require(not close(end, start, 0, 1e-6), f"{case} it has not moved")
        require(
            not close(end, _never_zeroed(gradient, start, 1e-3, steps), 1e-4, 1e-4),
            "gradients of earlier steps are still in it: they add up unless set to zero",
        )
        other_length = any(close(end, places[k], 1e-5, 1e-5) for k in (steps - 1, 1))
        if not close(end, places[-1], 1e-3, 1e-3):
            require(not other_length, f"{case} it takes another number of steps than asked")
            require(False, f"{case} it does not end where gradient descent on this f does")


def _never_zeroed(gradient, x, lr, steps):
    total = 0.0
    for _ in range(steps):
        total += gradient(x)
        x -= lr * total
    return x


@exercise(
    "02.2",
    "Two parameters and an optimizer",
    "Two parameters: `x = nn.Parameter(torch.tensor(0.2))`, and the same for y with 10.0. The "
    "optimizer takes a list of both.",
    "The five lines of the lesson's loop stay as they are; only the loss is a function of two.",
    "exp(sin(x)²) is e to the power of sin(x)·sin(x); write `torch.sin(x) ** 2`, not "
    "`torch.sin(x**2)`.",
)
def check_minimize_two(minimize, generator):
    def walk(lr, steps, sine_of_square=False):
        x, y = 0.2, 10.0
        for _ in range(steps):
            gap = x - y
            power = math.exp(math.sin(x) ** 2)
            slope = power * math.sin(2 * x)
            if sine_of_square:
                power = math.exp(math.sin(x**2))
                slope = power * math.cos(x**2) * 2 * x
            along_gap = -2 * power / gap**3 + 4 * gap**3
            x, y = x - lr * (slope / gap**2 + along_gap), y + lr * along_gap
        return x, y

    for _ in range(4):
        lr = 10 ** (torch.rand(1, generator=generator).item() - 4)  # between 1e-4 and 1e-3
        steps = int(torch.randint(5, 300, (1,), generator=generator))
        result = minimize(lr, steps)
        pair = isinstance(result, tuple | list) and len(result) == 2
        require(pair, "`minimize_two` must return two numbers, x and y")
        x, y = require_number(result[0], "x"), require_number(result[1], "y")
        case = f"after {steps} steps with lr {lr:.1e}"
        require(
            not (close(x, 0.2) and close(y, 10.0)),
            f"{case} x and y are still at the start: are `backward` and `step` called, and is "
            "your f as steep there as the one asked for?",
        )
        require(not close(y, 10.0), f"{case} y has not moved: does the optimizer know it?")
        require(not close(x, 0.2), f"{case} x has not moved: does the optimizer know it?")
        expected = walk(lr, steps)
        if not (close(x, expected[0], 1e-3, 2e-3) and close(y, expected[1], 1e-3, 2e-3)):
            other = walk(lr, steps, sine_of_square=True)
            wrong_sine = close(x, other[0], 1e-3, 2e-3) and close(y, other[1], 1e-3, 2e-3)
            require(not wrong_sine, "sin(x)² is the square of the sine, not the sine of x²")
            require(False, f"{case} x and y are not where plain SGD on this f ends")
    result = minimize(0.1, 8)
    require(
        not any(math.isfinite(torch.as_tensor(value).item()) for value in result),
        "with lr 0.1 the path explodes, and your answer hides it: return x and y as they are",
    )


@exercise(
    "02.3",
    "The largest learning rate that still descends",
    "Write down one step for f(x) = a·(x - c)². What happens to the distance x - c?",
    "Each step multiplies the distance by 1 - 2·a·lr. For which lr does the distance shrink?",
    "It shrinks as long as that factor lies between -1 and 1. Which lr makes it -1?",
)
def check_largest_rate(largest_lr, generator):
    for _ in range(8):
        a = 10 ** (4 * torch.rand(1, generator=generator).item() - 2)  # between 0.01 and 100
        limit = 1 / a
        rate = require_number(largest_lr(a), "what `largest_lr` returns")
        case = f"for a = {a:.3g}"
        if close(rate, limit, 0.02, 0):
            continue
        require(rate > 0, f"{case} it is not positive, so the step goes uphill or nowhere")
        require(
            not close(rate, limit / 2, 0.02, 0),
            f"{case} this rate reaches the minimizer in one step; larger ones still descend",
        )
        require(rate < limit, f"{case} {rate:.3g} is too large: the distance grows at each step")
        require(False, f"{case} {rate:.3g} descends, but a rate more than 2 % larger does too")


@exercise(
    "02.4",
    "Backpropagation through one layer",
    "Go forward first and keep what you will need: outputs = tanh(x Wᵀ + b), shape (N, C).",
    "Backward: the gradient of the mean of squares with respect to `outputs` is "
    "2 · (outputs - targets) divided by how many numbers were averaged.",
    "The slope of tanh(z) is 1 - tanh(z)². Multiply; that is the gradient of z, shape (N, C).",
    "From it: the bias adds up over the examples; W needs a matrix product with x, and the input a "
    "matrix product with W. Let the shapes tell which one is transposed.",
)
def check_layer_gradients(layer_gradients, generator):
    def agree(found, others):
        return all(close(g, e, 1e-3, 1e-5) for g, e in zip(found, others, strict=True))

    for num_samples, features, outputs in ((5, 4, 2), (8, 3, 3), (6, 1, 4), (1, 2, 3)):
        shapes = ((num_samples, features), (outputs, features), (outputs,), (num_samples, outputs))
        drawn = [torch.randn(shape, generator=generator) for shape in shapes]
        x, W, b, targets = drawn
        leaves = [value.clone().requires_grad_() for value in (W, b, x)]
        activations = torch.tanh(leaves[2] @ leaves[0].T + leaves[1])
        torch.nn.functional.mse_loss(activations, targets).backward()

        result = layer_gradients(*[value.clone() for value in drawn])
        triple = isinstance(result, tuple | list) and len(result) == 3
        require(triple, "`layer_gradients` must return three tensors: those of W, b and x")
        names = ("the gradient of W", "the gradient of b", "the gradient of x")
        found = [
            require_tensor(value, leaf, name)
            for value, leaf, name in zip(result, leaves, names, strict=True)
        ]
        expected = [leaf.grad.double() for leaf in leaves]
        if agree(found, expected):
            continue
        case = f"for N = {num_samples}, {features} inputs, {outputs} outputs"
        for factor, mistake in (
            (targets.numel(), "the gradients are those of the sum of squares, not of the mean"),
            (outputs, "the squares were averaged over the examples only, not over the outputs too"),
            (num_samples, "the squares were averaged over the outputs only, not over the examples"),
            (0.5, "the gradients are half of what they should be: the slope of a square is 2·u"),
            (-1, "the gradients point the other way: it is outputs minus targets"),
        ):
            scaled = [factor * gradient for gradient in expected]
            require(not agree(found, scaled), f"{case} {mistake}")
        error = 2 * (activations - targets).detach() / targets.numel()
        no_slope = (error.T @ x, error.sum(0), error @ W)
        require(not agree(found, no_slope), f"{case} the slope of tanh is missing")
        wrong = [
            name.removeprefix("the gradient of ")
            for name, g, e in zip(names, found, expected, strict=True)
            if not close(g, e, 1e-3, 1e-5)
        ]
        require(False, f"{case} autograd gives other values for: {', '.join(wrong)}")
