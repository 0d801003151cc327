"""The checks of lesson 05 pass two right answers each, and fail stubs and learners' mistakes.

The docstring of each wrong answer names the mistake; `said` is what the check must say about it.
"""

import math

import torch
import torch.nn.functional as F
from every_lesson import *

# --- 05.1 ----------------------------------------------------------------------------------------


def softmax(scores, dim, keep_max=True, keep_sum=True):
    exponentials = (scores - scores.amax(dim, keepdim=keep_max)).exp()
    return exponentials / exponentials.sum(dim, keepdim=keep_sum)


def softmax_by_loop(scores, dim):
    columns = scores.movedim(dim, -1)
    rows = []
    for row in columns.reshape(-1, columns.shape[-1]).tolist():
        weights = [math.exp(score - max(row)) for score in row]
        rows.append([weight / sum(weights) for weight in weights])
    return torch.tensor(rows).reshape(columns.shape).movedim(-1, dim)


def softmax_overflows(scores, dim):
    """Takes the exponentials of the scores as they are."""
    return scores.exp() / scores.exp().sum(dim, keepdim=True)


def softmax_along_the_other(scores, dim):
    """Lets `dim` name the axis that is kept."""
    return softmax(scores, 0 if dim in (-1, scores.ndim - 1) else scores.ndim - 1)


def softmax_ignores_dim(scores, dim):
    """Works along the last axis always."""
    return softmax(scores, -1)


def softmax_of_all(scores, dim):
    """Divides by the sum over the whole tensor."""
    return softmax(scores.flatten(), 0).reshape(scores.shape)


def softmax_keepdim_forgotten(scores, dim):
    """Forgets `keepdim` in the sum."""
    return softmax(scores, dim, keep_sum=False)


def softmax_maximum_keepdim_forgotten(scores, dim):
    """Forgets `keepdim` in the maximum."""
    return softmax(scores, dim, keep_max=False)


def softmax_both_keepdim_forgotten(scores, dim):
    """Forgets `keepdim` in both."""
    return softmax(scores, dim, keep_max=False, keep_sum=False)


def softmax_global_maximum(scores, dim):
    """Subtracts the maximum of the whole tensor."""
    exponentials = (scores - scores.max()).exp()
    return exponentials / exponentials.sum(dim, keepdim=True)


def softmax_global_maximum_and_epsilon(scores, dim):
    """Subtracts the maximum of the whole tensor, and hides the division by zero."""
    exponentials = (scores - scores.max()).exp()
    return exponentials / (exponentials.sum(dim, keepdim=True) + 1e-12)


def softmax_of_centered(scores, dim):
    """Subtracts the mean instead of the maximum."""
    return softmax_overflows(scores - scores.mean(dim, keepdim=True), dim)


def softmax_clamped(scores, dim):
    """Cuts large scores off, and so makes them equal."""
    return softmax_overflows(scores.clamp(-80, 80), dim)


def softmax_nan_replaced(scores, dim):
    """Replaces the NaN by zeros."""
    return softmax_overflows(scores, dim).nan_to_num(0.0)


def softmax_not_divided(scores, dim):
    """Forgets the sum."""
    return (scores - scores.amax(dim, keepdim=True)).exp()


def softmax_in_place(scores, dim):
    """Subtracts from the tensor that it was given."""
    scores -= scores.amax(dim, keepdim=True)
    return softmax_overflows(scores, dim)


def softmax_ready_made(scores, dim):
    """Calls PyTorch's."""
    return torch.softmax(scores, dim)


# --- 05.2 ----------------------------------------------------------------------------------------


def softsign(x):
    return x / (1 + x.abs())


def slope(x):
    return 1 / (1 + x.abs()) ** 2


def softsign_by_sides(x):
    return torch.where(x > 0, x / (1 + x.abs()), x / (1 + x.abs()))


def slope_by_sides(x):
    slopes = [1 / (1 + value) ** 2 if value >= 0 else 1 / (1 - value) ** 2 for value in x.tolist()]
    return torch.tensor(slopes, dtype=x.dtype)


def softsign_without_absolute(x):
    """Divides by 1 + x."""
    return x / (1 + x)


def softsign_of_size(x):
    """Loses the sign."""
    return x.abs() / (1 + x.abs())


def softsign_by_square(x):
    """Takes x² for |x|."""
    return x / (1 + x**2)


def softsign_by_sign(x):
    """Divides by x, and gets NaN at 0."""
    return 1 / (x.sign() + 1 / x) if (x != 0).all() else x.sign() / (1 + 1 / x.abs()) * (x / x)


def softsign_alone(x):
    """Hands over one function of the two."""
    return softsign(x)


def softsign_is_tanh(x):
    """Takes the curve of tanh for it."""
    return x.tanh()


def slope_not_squared(x):
    """Forgets that the quotient rule squares the denominator."""
    return 1 / (1 + x.abs())


def slope_without_absolute(x):
    """Forgets |x|."""
    return 1 / (1 + x) ** 2


def slope_with_sign(x):
    """Takes the slope of |x| for a factor of the whole."""
    return x.sign() / (1 + x.abs()) ** 2


def slope_by_masks(x):
    """Treats x > 0 and x < 0, and forgets 0."""
    result = torch.zeros_like(x)
    for side in (x > 0, x < 0):
        result[side] = 1 / (1 + x[side].abs()) ** 2
    return result


def slope_by_division(x):
    """Gets the sign as x / |x|, which is NaN at 0."""
    size = x.abs()
    return ((1 + size) - x * (x / size)) / (1 + size) ** 2


def slope_of_tanh(x):
    """Takes the rule of tanh."""
    return 1 - softsign(x) ** 2


def slope_of_sigmoid(x):
    """Takes the rule of the sigmoid."""
    return softsign(x) * (1 - softsign(x))


def slope_by_difference(x):
    """Takes a small step instead of a formula."""
    return (softsign(x + 1e-4) - softsign(x)) / 1e-4


def slope_by_autograd(x):
    """Asks autograd."""
    x = x.clone().requires_grad_()
    return torch.autograd.grad(softsign(x).sum(), x)[0]


# --- 05.3 ----------------------------------------------------------------------------------------


def hat(center, width, height, changes=(1.0, -2.0, 1.0), base=1.0, steep=1.0):
    half = base * width / 2
    kinks = torch.tensor([center - half, center, center + half])[: len(changes)]
    slopes = steep * height / half * torch.tensor(changes)
    return torch.ones(len(kinks), 1), -kinks, slopes[None], torch.zeros(1)


def hat_from_the_right(center, width, height):
    """The same hat of units that look to the left, scaled otherwise, and with one to spare."""
    kinks = torch.tensor([center - width / 2, center, center + width / 2, 0.0])
    W1 = torch.tensor([[-2.0], [-0.5], [-4.0], [1.0]])
    changes = 2 * height / width * torch.tensor([1.0, -2.0, 1.0, 0.0])
    return [W1, -W1[:, 0] * kinks, (changes / W1[:, 0].abs())[None].double(), torch.zeros(1)]


def hat_of_one_unit(center, width, height):
    """Climbs and never comes down."""
    return hat(center, width, height, changes=(1.0,))


def hat_staying_up(center, width, height):
    """Takes the slope at the center back to 0 instead of turning it round."""
    return hat(center, width, height, changes=(1.0, -1.0))


def hat_falling_for_ever(center, width, height):
    """Forgets the third unit."""
    return hat(center, width, height, changes=(1.0, -2.0))


def hat_with_slopes_for_changes(center, width, height):
    """Gives the units the slopes of the pieces, not their changes."""
    return hat(center, width, height, changes=(1.0, -1.0, 0.0))


def hat_plateau(center, width, height):
    """Counts the turn at the center once only."""
    return hat(center, width, height, changes=(1.0, -1.0, 1.0))


def hat_twice_as_wide(center, width, height):
    """Takes `width` for what lies on each side."""
    return hat(center, width, height, base=2.0)


def hat_half_as_high(center, width, height):
    """Divides the height by the whole width."""
    return hat(center, width, height, steep=0.5)


def hat_by_slope(center, width, height):
    """Takes `height` for the slope."""
    return hat(center, width, height * width / 2)


def hat_mirrored(center, width, height):
    """Has the sign of the kinks wrong in `b1`."""
    W1, b1, W2, b2 = hat(center, width, height)
    return W1, -b1, W2, b2


def hat_lifted(center, width, height):
    """Gives the height to the last bias."""
    W1, b1, W2, b2 = hat(center, width, height)
    return W1, b1, W2, b2 + height


def hat_transposed(center, width, height):
    """Gives the weights the shapes of IDL's formulas, inputs first."""
    W1, b1, W2, b2 = hat(center, width, height)
    return W1.T, b1, W2.T, b2


# --- 05.4 ----------------------------------------------------------------------------------------


def regions(layer, inputs, border=0.05, order=(0, 1, 2)):
    z = layer(inputs)
    low = 1 - torch.tanh(z) ** 2 < border
    parts = [low & (z < 0), ~low, low & (z > 0)]
    return torch.stack([parts[i].float().mean(dim=0) for i in order], dim=1)


def regions_by_loop(layer, inputs):
    border = math.atanh(math.sqrt(0.95))
    rows = []
    for weights, bias in zip(layer.weight.tolist(), layer.bias.tolist(), strict=True):
        counts = [0, 0, 0]
        for x in inputs.tolist():
            z = bias + sum(w * value for w, value in zip(weights, x, strict=True))
            counts[0 if z < -border else 2 if z > border else 1] += 1
        rows.append([count / len(inputs) for count in counts])
    return torch.tensor(rows)


def regions_counted(layer, inputs):
    """Counts and does not divide."""
    return regions(layer, inputs) * len(inputs)


def regions_in_percent(layer, inputs):
    """Gives percents."""
    return 100 * regions(layer, inputs)


def regions_backward(layer, inputs):
    """Puts the saturated first."""
    return regions(layer, inputs, order=(2, 1, 0))


def regions_of_examples(layer, inputs):
    """Averages over the units."""
    z = layer(inputs)
    low = 1 - torch.tanh(z) ** 2 < 0.05
    return torch.stack(
        [part.float().mean(dim=1) for part in (low & (z < 0), ~low, low & (z > 0))]
    ).T


def regions_transposed(layer, inputs):
    """Stacks the three as rows."""
    return regions(layer, inputs).T


def regions_by_output(layer, inputs):
    """Compares the output with 0.95, not the slope with 0.05."""
    z = layer(inputs)
    low = torch.tanh(z).abs() > 0.95
    return torch.stack(
        [part.float().mean(dim=0) for part in (low & (z < 0), ~low, low & (z > 0))]
    ).T


def regions_tanh_twice(layer, inputs):
    """Takes the outputs for z."""
    return regions(lambda x: torch.tanh(layer(x)), inputs)


def regions_without_bias(layer, inputs):
    """Forgets the bias."""
    return regions(lambda x: F.linear(x, layer.weight), inputs)


def regions_of_inputs(layer, inputs):
    """Asks the inputs, not z, in which region they are."""
    result = regions(lambda x: x, inputs)
    return result if result.shape == (len(layer.weight), 3) else regions(layer, inputs)


def regions_on_one_side(layer, inputs):
    """Forgets that a low slope on the left is another region."""
    fractions = regions(layer, inputs)
    fractions[:, 2] += fractions[:, 0]
    fractions[:, 0] = 0
    return fractions


def regions_with_another_border(layer, inputs):
    """Draws the border at another slope."""
    return regions(layer, inputs, border=0.5)


RIGHT = [
    *[("05.1", softmax), ("05.1", softmax_by_loop)],
    *[("05.2", (softsign, slope)), ("05.2", (softsign_by_sides, slope_by_sides))],
    *[("05.3", hat), ("05.3", hat_from_the_right)],
    *[("05.4", regions), ("05.4", regions_by_loop)],
]
WRONG = [
    ("05.1", softmax_overflows, "beyond float32"),
    ("05.1", softmax_along_the_other, "along dim 0, the wrong one"),
    ("05.1", softmax_ignores_dim, "along dim 1, the wrong one"),
    ("05.1", softmax_of_all, "over all numbers"),
    ("05.1", softmax_keepdim_forgotten, "the sum of one row meets"),
    ("05.1", softmax_maximum_keepdim_forgotten, "the maximum of one row meets"),
    ("05.1", softmax_both_keepdim_forgotten, "the maximum of one row meets"),
    ("05.1", softmax_global_maximum, "suits one row only"),
    ("05.1", softmax_global_maximum_and_epsilon, "adds up to 0, not to 1"),
    ("05.1", softmax_of_centered, "far above 0"),
    ("05.1", softmax_clamped, "differences are lost"),
    ("05.1", softmax_nan_replaced, "adds up to 0, not to 1"),
    ("05.1", softmax_not_divided, "not divided by their sum"),
    ("05.1", softmax_in_place, "themselves were changed"),
    ("05.1", softmax_ready_made, "by hand"),
    ("05.2", (softsign_without_absolute, slope), "needs |x|"),
    ("05.2", (softsign_of_size, slope), "sign of x is lost"),
    ("05.2", (softsign_by_square, slope), "not 1 + x²"),
    ("05.2", (softsign_is_tanh, slope), "that is tanh"),
    ("05.2", (softsign_by_sign, slope), "NaN or infinity at x = 0"),
    ("05.2", (softsign, slope_not_squared), "squares the denominator"),
    ("05.2", (softsign, slope_without_absolute), "where is |x|"),
    ("05.2", (softsign, slope_with_sign), "negative for negative x"),
    ("05.2", (softsign, slope_by_masks), "0 at x = 0"),
    ("05.2", (softsign, slope_by_division), "NaN or infinity at x = 0"),
    ("05.2", (softsign, slope_of_tanh), "for tanh only"),
    ("05.2", (softsign, slope_of_sigmoid), "for the sigmoid only"),
    ("05.2", (softsign, slope_by_difference), "difference quotient"),
    ("05.2", (softsign, slope_by_autograd), "asks autograd"),
    ("05.2", softsign_alone, "a pair of functions"),
    ("05.3", hat_of_one_unit, "never comes down"),
    ("05.3", hat_staying_up, "then stays up"),
    ("05.3", hat_falling_for_ever, "never stops falling"),
    ("05.3", hat_with_slopes_for_changes, "then stays up"),
    ("05.3", hat_plateau, "climbs again"),
    ("05.3", hat_twice_as_wide, "the whole base"),
    ("05.3", hat_half_as_high, "half as high"),
    ("05.3", hat_by_slope, "is the slope of its sides"),
    ("05.3", hat_mirrored, "the sign of `b1`"),
    ("05.3", hat_lifted, "at x = -40"),
    ("05.3", hat_transposed, "W1 has shape (1, 3) where (3, 1)"),
    ("05.4", regions_counted, "these are counts"),
    ("05.4", regions_in_percent, "percents"),
    ("05.4", regions_backward, "begin with undersaturated"),
    ("05.4", regions_of_examples, "run over the units"),
    ("05.4", regions_transposed, "transposed"),
    ("05.4", regions_by_output, "*output* is beyond"),
    ("05.4", regions_tanh_twice, "tanh is taken twice"),
    ("05.4", regions_without_bias, "bias is missing"),
    ("05.4", regions_of_inputs, "not at z"),
    ("05.4", regions_on_one_side, "left count as saturated"),
    ("05.4", regions_with_another_border, "not the fractions"),
]


def as_answer(number, function):
    """What `check` is handed: a pair of functions in 05.2."""
    return (function, function) if number == "05.2" else function


KINDS = [
    None,
    "1.0",
    [1.0],
    True,
    math.nan,
    torch.zeros(7),
    (None,) * 2,
    ("a",) * 4,
    4 * [math.nan],
]
