"""Checks of the exercises of lesson 05, neurons and activations."""

import torch
import torch.nn.functional as F
from torch import nn

from course_utils.checks import (
    close,
    exercise,
    require,
    require_functions,
    require_tensor,
    with_calls,
)


@exercise(
    "05.1",
    "Softmax that survives large numbers",
    "Write it for ordinary numbers first: exponentials, divided by their sum along `dim`. Print "
    "the shapes of both. Do they line up as you mean them to?",
    "Softmax is shift invariant: it stays when the same number is subtracted from all that share "
    "a sum. Which number makes every exponent at most 0?",
    "In each row at least one exponential should be 1, so that no sum can be 0. Does the number "
    "that you subtract belong to the row, or to the whole tensor?",
    "`tensor.amax(dim, keepdim=True)` keeps the axis that it reduces, with size 1.",
)
def check_softmax(stable_softmax, generator):
    # Square shapes come first: on them a maximum or a sum of the wrong shape raises nothing.
    shapes = (((4, 4), 1), ((4, 4), 0), ((4, 4), -1), ((3, 3, 3), 1), ((3, 5), 1), ((5, 3), 0))
    for shape, dim in (*shapes, ((2, 3, 4), 1), ((2, 3, 4), -1), ((6,), 0)):
        scores = 2 * torch.randn(shape, generator=generator)
        case = f"shape {shape}, dim={dim}"
        found = _softmax(stable_softmax, scores, dim, case)
        if close(found, F.softmax(scores.double(), dim)):
            continue
        for words, wrong in _wrong_softmaxes(scores.double(), dim % len(shape)):
            require(not close(found, wrong), f"{case}: {words}")
        _require_sums(found, dim, case)
        require(False, f"{case}: it adds up to 1, but PyTorch's softmax gives other values")

    for shape, dim in (((4, 5), 1), ((4, 5), 0), ((3, 4, 2), 1)):
        noise = torch.randn(shape, generator=generator)
        per_slice = [1 if axis == dim else size for axis, size in enumerate(shape)]
        steps = torch.randperm(noise.numel() // shape[dim], generator=generator)
        levels = 300.0 * steps.reshape(per_slice)
        far_apart = 400.0 * torch.randperm(noise.numel(), generator=generator).reshape(shape)
        for scores, which, mistake in (
            (noise + 1000, "numbers near 1000", "e¹⁰⁰⁰ is beyond float32"),
            (noise - 1000, "numbers near -1000", "all exponentials are 0, and 0 / 0 is NaN"),
            (
                noise + levels,
                "rows far apart from each other",
                "what is subtracted suits one row only, and others become all 0",
            ),
            (
                noise + far_apart,
                "numbers far apart in one row",
                "what is subtracted leaves some exponents far above 0",
            ),
        ):
            case = f"{which} (shape {shape}, dim={dim})"
            found = _softmax(stable_softmax, scores, dim, case, mistake)
            _require_sums(found, dim, case)
            even = close(found, torch.full(shape, 1 / shape[dim], dtype=torch.float64))
            require(not even, f"{case}: all get the same share; their differences are lost")
            right = close(found, F.softmax(scores.double(), dim))
            require(right, f"{case}: it adds up to 1, but PyTorch's softmax gives other values")


def _softmax(stable_softmax, scores, dim, case, if_not_finite=None):
    before = scores.clone()
    result, names = with_calls(stable_softmax, scores, dim)
    require(torch.equal(scores, before), "the numbers themselves were changed: make a new tensor")
    ready_made = set(names) & {"softmax", "log_softmax", "softmin"}
    require(not ready_made, f"PyTorch's own {min(ready_made, default='')} is called: do it by hand")
    tensor = isinstance(result, torch.Tensor) and result.is_floating_point()
    if if_not_finite and tensor:
        finite = bool(result.isfinite().all())
        require(finite, f"{case} give NaN or infinity: {if_not_finite}")
    return require_tensor(result, scores, f"the result ({case})")


def _require_sums(found, dim, case):
    sums = found.sum(dim).flatten()
    worst = sums[(sums - 1).abs().argmax()].item()
    require(abs(worst - 1) < 1e-4, f"{case}: along dim {dim} it adds up to {worst:.3g}, not to 1")


def _wrong_softmaxes(x, dim):
    """Yield (what the check says, the values of that mistake)."""
    for other in range(x.ndim):
        if other != dim:
            yield f"it adds up to 1 along dim {other}, the wrong one", F.softmax(x, other)
    naive, shifted = x.exp(), (x - x.amax(dim, keepdim=True)).exp()
    yield "one softmax over all numbers, whatever `dim` is", naive / naive.sum()
    yield "the exponentials are not divided by their sum", naive
    yield "the exponentials are not divided by their sum", shifted
    if len(set(x.shape)) == 1 and x.ndim > 1:
        crossed = (x - x.amax(dim)).exp()
        words = "of one row meets the numbers of another: print its shape"
        yield f"the sum {words}", naive / naive.sum(dim)
        yield f"the sum {words}", shifted / shifted.sum(dim)
        yield f"the maximum {words}", crossed / crossed.sum(dim)
        yield f"the maximum {words}", crossed / crossed.sum(dim, keepdim=True)


@exercise(
    "05.2",
    "An activation and its slope",
    "Draw it on paper first. What is |x| for x > 0, and what for x < 0? Simplify the formula on "
    "each side.",
    "On each side it is a fraction: use the quotient rule. Then look at the two results: do they "
    "differ only in a sign?",
    "At 0 both sides must give the same slope. A formula that divides by x, or asks for the sign "
    "of x, goes wrong just there.",
)
def check_activation(answer, generator):
    require_functions(answer, "softsign", "softsign_slope")
    softsign, softsign_slope = answer
    signs = 2.0 * torch.randint(2, (40,), generator=generator) - 1
    sizes = 10 ** (3 * torch.rand(40, generator=generator, dtype=torch.float64) - 2)
    ordinary = signs * sizes  # between 0.01 and 10, of either sign
    around_zero = torch.tensor([0.0, 0.5, -0.5, 2.0, -2.0, 0.0, 1.0, -1.0], dtype=torch.float64)
    large = torch.tensor([1e3, -1e3, 1e6, -1e6], dtype=torch.float64)
    for name, function, oracle, wrong in (
        ("softsign", softsign, F.softsign, _wrong_softsigns),
        ("softsign_slope", softsign_slope, _autograd_slope, _wrong_slopes),
    ):
        cases = ((ordinary, ""), (around_zero, " with 0 among the inputs"), (large, " far from 0"))
        for x, where in cases:
            before = x.clone()
            result = _without_graph(function, x)
            require(torch.equal(x, before), f"`{name}` changes its input: make a new tensor")
            if where and isinstance(result, torch.Tensor) and result.is_floating_point():
                bad = x[~result.isfinite()].tolist() if result.shape == x.shape else []
                require(not bad, f"`{name}` gives NaN or infinity at x = {max(bad, default=0):g}")
            found = require_tensor(result, x, f"the result of `{name}`")
            expected = oracle(x)
            if close(found, expected, 1e-5, 1e-15):
                continue
            for words, values in wrong(x):
                likely = close(found, values, 1e-5, 1e-15)
                require(not likely, f"`{name}`{where}: {words}")
            place = int(((found - expected).abs() / expected.abs().clamp(min=1e-15)).argmax())
            at = f"at x = {x[place]:.4g}"
            nearly = close(found, expected, 1e-2, 1e-3)
            require(not nearly, f"`{name}`{where}: nearly right; is it a difference quotient?")
            steep = "the slope" if name == "softsign_slope" else "the value"
            require(False, f"`{name}`{where}: {at} {steep} is {found[place]:.4g}, which is wrong")


def _without_graph(function, x):
    try:
        with torch.no_grad():
            return function(x)
    except RuntimeError as error:
        require("require grad" not in str(error), "it asks autograd: write the formula")
        raise


def _autograd_slope(x):
    x = x.clone().requires_grad_()
    return torch.autograd.grad(F.softsign(x).sum(), x)[0]


def _wrong_softsigns(x):
    yield "right for positive x only: the denominator needs |x|", x / (1 + x)
    yield "the sign of x is lost", x.abs() / (1 + x.abs())
    yield "the numerator is x, not 1", 1 / (1 + x.abs())
    yield "that is tanh, another curve of the same kind", x.tanh()
    yield "the denominator is 1 + |x|, not 1 + x²", x / (1 + x**2)


def _wrong_slopes(x):
    size, value = x.abs(), F.softsign(x)
    yield "the quotient rule squares the denominator", 1 / (1 + size)
    yield "right for positive x only: where is |x|?", 1 / (1 + x) ** 2
    yield "negative for negative x, but the curve rises there too", x.sign() / (1 + size) ** 2
    yield "tanh's rule, 1 minus the square of the value, is for tanh only", 1 - value**2
    yield "the sigmoid's rule is for the sigmoid only", value * (1 - value)
    yield "that is minus the slope: check the quotient rule's order", -1 / (1 + size) ** 2
    at_zero = torch.where(x == 0, 0.0, 1 / (1 + size) ** 2)
    yield "0 at x = 0, where the curve is steepest", at_zero


@exercise(
    "05.3",
    "Build a hat from ReLU units",
    "One unit, relu(x - k), is flat up to k and has slope 1 from there on. At which places does "
    "the slope of the hat change?",
    "Every unit adds its share of slope to the right of its kink, for good. Walk from left to "
    "right and write down how much the slope has to *change* at each kink.",
    "Half of the width lies on each side of the center. How steep must a side be to climb `height` "
    "on that way?",
    "If all units have weight 1, `b1` decides where they bend, and `W2` how much. Where is "
    "1·x + b equal to 0?",
)
def check_hat(hat_weights, generator):
    def draw(low, high):
        return low + (high - low) * torch.rand(1, generator=generator, dtype=torch.float64).item()

    for center, sign in ((0.0, 1), (draw(1, 4), 1), (draw(-4, -1), 1), (draw(1, 4), -1)):
        width, height = draw(1, 3), sign * draw(0.6, 3)
        if abs(width - 2) < 0.2:  # half the width would be 1, and hide a side's steepness
            width += 0.5
        x = torch.linspace(center - 2 * width, center + 2 * width, 161, dtype=torch.float64)
        x = torch.cat([torch.tensor([-40.0, -30.0]), x, torch.tensor([30.0, 40.0])])
        W1, b1, W2, b2 = _two_layers(hat_weights(center, width, height))
        found = ((x[:, None] @ W1.T + b1).relu() @ W2.T + b2).squeeze(1)
        case = f"center {center:.2f}, width {width:.2f}, height {height:.2f}"
        if close(found, _hat(x, center, width, height), 0, 2e-3):
            continue
        for words, wrong in _wrong_hats(x, center, width, height):
            require(not close(found, wrong, 0, 2e-3), f"{case}: {words}")
        left, right, further = found[0].item(), found[-2].item(), found[-1].item()
        require(abs(left) < 2e-3, f"{case}: at x = -40 it is {left:.3g}, not 0")
        still = f"{case}: at x = 30 it is {right:.3g}, at x = 40 {further:.3g}"
        require(abs(further - right) < 2e-3, f"{still}: the slopes do not add up to 0")
        require(abs(right) < 2e-3, f"{case}: to the right of the hat it stays at {right:.3g}")
        peak = found[82].item()  # x[82] is the center
        require(abs(peak - height) < 2e-3, f"{case}: at the center it is {peak:.3g}")
        require(False, f"{case}: center and far ends are right, but the sides are not straight")


def _hat(x, center, width, height):
    return height * (1 - (x - center).abs() / (width / 2)).clamp(min=0)


def _two_layers(result):
    four = isinstance(result, tuple | list) and len(result) == 4
    require(four, "`hat_weights` must return four tensors: W1, b1, W2, b2")
    b1 = result[1]
    units = b1.numel() if isinstance(b1, torch.Tensor) and b1.ndim == 1 else 3
    shapes = {"W1": (units, 1), "b1": (units,), "W2": (1, units), "b2": (1,)}
    return [
        require_tensor(value, torch.empty(shape), name)
        for value, (name, shape) in zip(result, shapes.items(), strict=True)
    ]


def _wrong_hats(x, center, width, height):
    """Yield (what the check says, the function of that mistake)."""
    if center:
        mirrored = _hat(x, -center, width, height)
        yield f"the hat stands at {-center:.2f}: the sign of `b1`", mirrored
        yield "the hat stands at 0, wherever its center is to be", _hat(x, 0.0, width, height)
    yield "the hat is twice as wide: `width` is the whole base", _hat(x, center, 2 * width, height)
    yield "the hat is half as wide", _hat(x, center, width / 2, height)
    half_as_high = _hat(x, center, width, height / 2)
    yield "half as high: a side climbs the height on *half* the width", half_as_high
    yield "twice as high", _hat(x, center, width, 2 * height)
    yield "`height` makes no difference", _hat(x, center, width, 1.0)
    steep = _hat(x, center, width, height * width / 2)
    yield "`height` is the slope of its sides, not its height", steep
    yield "upside down", _hat(x, center, width, -height)
    start, slope = center - width / 2, height / (width / 2)
    rise, fall = slope * (x - start).relu(), slope * (x - center).relu()
    end = slope * (x - center - width / 2).relu()
    yield "it climbs and never comes down", rise
    yield "it climbs and then stays up: the slope must become negative, not 0", rise - fall
    yield "it climbs, comes down, and never stops falling", rise - 2 * fall
    at_center = "how does the slope change at the center?"
    yield f"it climbs, stays up, and climbs again: {at_center}", rise - fall + end
    yield f"it climbs, stays up, and falls without end: {at_center}", rise - fall - end


@exercise(
    "05.4",
    "Which units can learn?",
    "`layer(inputs)` gives z for every example and every unit, in shape (N, H). What is a row of "
    "it, and what a column?",
    "The slope of tanh at z is 1 - tanh(z)². Comparing it with 0.05 gives a tensor of booleans. A "
    "low slope alone names no region yet: what tells the left one from the right one?",
    "The mean of booleans, once they are floats, is a fraction. Along which axis must it run, if "
    "every unit is to have its own? `torch.stack` puts three vectors side by side.",
)
def check_regions(regions, generator):
    # Equal sizes come first: on them a mean along the wrong axis has the right shape.
    for num_samples, features, units in ((5, 5, 5), (3, 3, 3), (40, 2, 6), (25, 3, 4), (60, 1, 2)):
        layer, inputs = _layer_and_inputs(num_samples, features, units, generator)
        z = layer(inputs).detach().double()
        state = [parameter.clone() for parameter in layer.parameters()]
        result = regions(layer, inputs)
        kept = all(map(torch.equal, state, layer.parameters()))
        require(kept, "the layer itself was changed")
        case = f"{num_samples} examples, {features} inputs, {units} units"
        if isinstance(result, torch.Tensor) and units != 3:
            require(result.shape != (3, units), f"{case}: transposed; one row a unit is needed")
            by_example = result.shape == (num_samples, 3) and num_samples != units
            require(not by_example, f"{case}: there is one row an example, not one a unit")
        found = require_tensor(result, torch.empty(units, 3), f"the result ({case})")
        if close(found, _fractions(z)):
            continue
        for words, wrong in _wrong_regions(z, inputs.double(), layer.weight.detach().double()):
            same_shape = found.shape == wrong.shape
            require(not (same_shape and close(found, wrong)), f"{case}: {words}")
        sums = found.sum(dim=1)
        whole = close(sums, torch.ones(units))
        require(whole, f"{case}: a unit's three fractions add up to {sums[0]:.3g}, not to 1")
        require(False, f"{case}: these are not the fractions of the three regions")


def _layer_and_inputs(num_samples, features, units, generator):
    """Draw a layer that uses all three regions; no z lies so near a border that rounding counts."""
    layer = nn.Linear(features, units)
    while True:
        with torch.no_grad():
            weight = torch.randn(units, features, generator=generator)
            layer.weight.copy_(weight / features**0.5)
            layer.bias.copy_(1.5 * torch.randn(units, generator=generator) + 0.5)
            inputs = 2.5 * torch.randn(num_samples, features, generator=generator)
            z = layer(inputs)
        slope = 1 - z.tanh() ** 2
        shares = _fractions(z).mean(dim=0)
        if (slope - 0.05).abs().min() > 1e-3 and z.abs().max() < 7 and shares.min() > 0.1:
            return layer, inputs


def _fractions(z, low_slope=None, dim=0):
    """Return the fractions of undersaturated, sensitive and saturated values along an axis."""
    low = 1 - z.tanh() ** 2 < 0.05 if low_slope is None else low_slope
    parts = (low & (z < 0), ~low, low & (z > 0))
    return torch.stack([part.double().mean(dim=dim) for part in parts], dim=1)


def _wrong_regions(z, inputs, weight):
    """Yield (what the check says, the values of that mistake)."""
    right, outputs = _fractions(z), z.tanh()
    yield "left and right are exchanged: the columns begin with undersaturated", right.flip(1)
    yield "these are counts; divide by the number of examples", right * len(z)
    yield "these are percents, not fractions", 100 * right
    yield "the fractions run over the units; each unit is to have its own", _fractions(z, dim=1)
    by_output = _fractions(z, outputs.abs() > 0.95)
    yield "it asks whether the *output* is beyond 0.95; the slope is meant", by_output
    yield "tanh is taken twice: is the slope taken at z, or at the output?", _fractions(outputs)
    yield "the bias is missing in z", _fractions(inputs @ weight.T)
    yield "it looks at the inputs of the layer, not at z", _fractions(inputs)
    large = _fractions(z, z.abs() > 1)
    yield "the border lies at |z| = 1, where the slope is still 0.42", large
    both = right[:, [0, 2]].sum(dim=1)
    merged = torch.stack([torch.zeros_like(both), right[:, 1], both], dim=1)
    yield "low slopes on the left count as saturated: they are undersaturated", merged
    yield "low slopes on the right count as undersaturated: they are saturated", merged.flip(1)
    sides = _fractions(z, torch.ones_like(z, dtype=torch.bool))
    yield "it tells left from right only: no unit is ever sensitive", sides
    low = 1 - outputs**2 < 0.05
    swapped = torch.stack([(~low & (z < 0)), low, (~low & (z > 0))]).double().mean(dim=1).T
    yield "high and low slopes are exchanged", swapped
