"""The checks of lesson 10 pass two right answers each, and fail stubs and learners' mistakes.

The docstring of each wrong answer names the mistake; `said` is what the check must say about it.
"""

import math

import pytest
import torch
import torch.nn.functional as F
from every_lesson import *

# --- 10.1 ----------------------------------------------------------------------------------------


def output_size(size, kernel_size, stride, left, right):
    return (size + left + right - kernel_size) // stride + 1


def same_padding(kernel_size):
    return (kernel_size - 1) // 2, kernel_size // 2


def output_size_by_counting(size, kernel_size, stride, left, right):
    return len(range(0, left + size + right - kernel_size + 1, stride))


def same_padding_by_trying(kernel_size):
    for left in range(10):
        for right in (left, left + 1):
            if output_size_by_counting(28, kernel_size, 1, left, right) == 28:
                return [left, right]
    raise AssertionError


def size_short_by_one(size, kernel_size, stride, left, right):
    """Forgets that the first window counts too, as IDL's loops do."""
    return (size + left + right - kernel_size) // stride


def size_one_inside(size, kernel_size, stride, left, right):
    """Adds the 1 before dividing."""
    return (size + left + right - kernel_size + 1) // stride


def size_without_stride(size, kernel_size, stride, left, right):
    """Ignores the stride."""
    return size + left + right - kernel_size + 1


def size_rounded_up(size, kernel_size, stride, left, right):
    """Lets the last window stick out."""
    return math.ceil((size + left + right - kernel_size) / stride) + 1


def size_of_left(size, kernel_size, stride, left, right):
    """Forgets the padding on the right."""
    return (size + left - kernel_size) // stride + 1


def size_with_twice_left(size, kernel_size, stride, left, right):
    """Takes the lesson's formula with P = left."""
    return (size + 2 * left - kernel_size) // stride + 1


def size_not_whole(size, kernel_size, stride, left, right):
    """Divides with a remainder that stays."""
    return (size + left + right - kernel_size) / stride + 1


def size_by_halves(size, kernel_size, stride, left, right):
    """Takes IDL's ⌊K/2⌋ twice, which is one too many for even kernels."""
    return math.ceil((size + left + right - 2 * (kernel_size // 2)) / stride)


def size_alone(*arguments):
    """Hands over one function of the two."""
    return output_size(*arguments)


def padding_floor(kernel_size):
    """Takes ⌊K/2⌋ on both sides."""
    return kernel_size // 2, kernel_size // 2


def padding_ceiling(kernel_size):
    """Takes IDL's ⌈K/2⌉ on both sides."""
    return (kernel_size + 1) // 2, (kernel_size + 1) // 2


def padding_rounded_down(kernel_size):
    """Halves K - 1 and rounds down on both sides."""
    return (kernel_size - 1) // 2, (kernel_size - 1) // 2


def padding_larger_left(kernel_size):
    """Puts the larger part on the left."""
    return kernel_size // 2, (kernel_size - 1) // 2


def padding_on_the_left(kernel_size):
    """Pads one side only."""
    return kernel_size - 1, 0


def padding_halved(kernel_size):
    """Halves without rounding."""
    return (kernel_size - 1) / 2, (kernel_size - 1) / 2


def padding_of_one_number(kernel_size):
    """Gives the sum of both sides."""
    return kernel_size - 1


# --- 10.2 ----------------------------------------------------------------------------------------


def separate(kernel, test=lambda outer, kernel: torch.allclose(outer, kernel, atol=1e-5)):
    i, j = divmod(int(kernel.abs().argmax()), kernel.shape[1])
    column, row = kernel[:, j], kernel[i] / kernel[i, j]
    return (column, row) if test(torch.outer(column, row), kernel) else None


def separate_by_svd(kernel):
    U, sizes, V = torch.linalg.svd(kernel.double())
    if sizes[1] > 1e-5 * sizes[0]:
        return None
    return [-3 * U[:, 0] * sizes[0], V[0] / -3]


def separate_by_the_first(kernel):
    """Divides by the entry in the upper left corner, which may be 0."""
    return kernel[:, 0], kernel[0] / kernel[0, 0]


def separate_exactly(kernel):
    """Compares without a tolerance."""
    return separate(kernel, torch.equal)


def separate_always(kernel):
    """Never says None."""
    return separate(kernel, lambda outer, kernel: True)


def separate_never(kernel):
    """Says None to every kernel."""
    return None


def separate_exchanged(kernel):
    """Returns the row first."""
    pair = separate(kernel)
    return pair and pair[::-1]


def separate_undivided(kernel):
    """Takes a row and a column as they are."""
    pair = separate(kernel)
    i, j = divmod(int(kernel.abs().argmax()), kernel.shape[1])
    return pair and (kernel[:, j], kernel[i])


def separate_by_means(kernel):
    """Averages over rows and columns."""
    return separate(kernel) and (kernel.mean(dim=1), kernel.mean(dim=0))


def separate_by_sizes(kernel):
    """Loses the signs."""
    pair = separate(kernel)
    return pair and (pair[0].abs(), pair[1].abs())


def separate_scaled(kernel):
    """Divides both by the entry that they share."""
    pair = separate(kernel)
    i, j = divmod(int(kernel.abs().argmax()), kernel.shape[1])
    return pair and (pair[0] / kernel[i, j], pair[1] / 2)


def separate_as_columns(kernel):
    """Returns matrices of one column and one row."""
    pair = separate(kernel)
    return pair and (pair[0][:, None], pair[1][None, :])


def separate_in_place(kernel):
    """Divides within the kernel that it was given."""
    pair = separate(kernel.clone())
    kernel /= kernel.abs().max()
    return pair


# --- 10.3 ----------------------------------------------------------------------------------------


def convolution_matrix(kernel, size, stride, turn=False, step=None):
    rows = (size - len(kernel)) // stride + 1
    matrix = torch.zeros(rows, size)
    for i in range(rows):
        start = i * (stride if step is None else step)
        matrix[i, start : start + len(kernel)] = kernel.flip(0) if turn else kernel
    return matrix


def matrix_by_columns(kernel, size, stride):
    rows = range((size - len(kernel)) // stride + 1)
    entries = [
        [
            float(kernel[j - i * stride]) if 0 <= j - i * stride < len(kernel) else 0.0
            for j in range(size)
        ]
        for i in rows
    ]
    return torch.tensor(entries, dtype=torch.float64)


def matrix_turned(kernel, size, stride):
    """Turns the kernel round."""
    return convolution_matrix(kernel, size, stride, turn=True)


def matrix_transposed(kernel, size, stride):
    """Gives each output a column."""
    return convolution_matrix(kernel, size, stride).T


def matrix_standing_still(kernel, size, stride):
    """Writes the kernel to the beginning of each row."""
    return convolution_matrix(kernel, size, stride, step=0)


def matrix_in_single_steps(kernel, size, stride):
    """Uses the stride for the number of rows only."""
    return convolution_matrix(kernel, size, stride, step=1)


def matrix_of_stride_one(kernel, size, stride):
    """Ignores the stride."""
    return convolution_matrix(kernel, size, 1)


def matrix_wrapped(kernel, size, stride):
    """Lets windows that stick out come in again at the other end."""
    first = torch.zeros(size)
    first[: len(kernel)] = kernel
    return torch.stack([first.roll(i * stride) for i in range(size)])


def matrix_backward(kernel, size, stride):
    """Begins at the right."""
    return convolution_matrix(kernel, size, stride).flip(0)


def matrix_of_ones(kernel, size, stride):
    """Marks the window and forgets the weights."""
    return convolution_matrix(torch.ones_like(kernel), size, stride)


def matrix_short_by_one(kernel, size, stride):
    """Forgets the last row."""
    return convolution_matrix(kernel, size, stride)[:-1]


def matrix_ready_made(kernel, size, stride):
    """Asks PyTorch's convolution."""
    return F.conv1d(torch.eye(size)[:, None], kernel[None, None], stride=stride)[:, 0].T


# --- 10.4 ----------------------------------------------------------------------------------------


def receptive_field(layers):
    seen, apart = 1, 1
    for kernel_size, stride in layers:
        seen += (kernel_size - 1) * apart
        apart *= stride
    return seen


def receptive_field_backward(layers):
    seen = torch.tensor(1)
    for kernel_size, stride in reversed(layers):
        seen = (seen - 1) * stride + kernel_size
    return seen


def field_without_strides(layers):
    """Ignores the strides."""
    return 1 + sum(kernel_size - 1 for kernel_size, _ in layers)


def field_of_own_stride(layers):
    """Multiplies by the layer's own stride before it is counted."""
    seen, apart = 1, 1
    for kernel_size, stride in layers:
        apart *= stride
        seen += (kernel_size - 1) * apart
    return seen


def field_of_sizes(layers):
    """Adds up the kernels' sizes."""
    return sum(kernel_size for kernel_size, _ in layers)


def field_of_products(layers):
    """Multiplies the kernels' sizes."""
    return math.prod(kernel_size for kernel_size, _ in layers)


def field_of_last_stride(layers):
    """Remembers the stride of the layer before, and no other."""
    seen, apart = 1, 1
    for kernel_size, stride in layers:
        seen += (kernel_size - 1) * apart
        apart = stride
    return seen


def field_backward(layers):
    """Begins with the last layer, with the formula for the other direction."""
    return receptive_field(layers[::-1])


def field_from_nothing(layers):
    """Does not count the pixel itself."""
    return receptive_field(layers) - 1


def field_wrong_when_empty(layers):
    """Begins with the first kernel, and has 0 where there is none."""
    return receptive_field(layers) if layers else 0


def field_emptying(layers):
    """Empties the list on its way."""
    result = receptive_field(layers)
    layers.clear()
    return result


RIGHT = [
    *[("10.1", (output_size, same_padding))],
    *[("10.1", (output_size_by_counting, same_padding_by_trying))],
    *[("10.2", separate), ("10.2", separate_by_svd)],
    *[("10.3", convolution_matrix), ("10.3", matrix_by_columns)],
    *[("10.4", receptive_field), ("10.4", receptive_field_backward)],
]
WRONG = [
    ("10.1", (size_short_by_one, same_padding), "n + 1 starts"),
    ("10.1", (size_one_inside, same_padding), "before the division"),
    ("10.1", (size_without_stride, same_padding), "stride makes no difference"),
    ("10.1", (size_rounded_up, same_padding), "fit as a whole"),
    ("10.1", (size_of_left, same_padding), "one side only"),
    ("10.1", (size_with_twice_left, same_padding), "counted twice"),
    ("10.1", (size_not_whole, same_padding), "sizes are whole numbers"),
    ("10.1", (size_by_halves, same_padding), "think of even ones"),
    ("10.1", size_alone, "a pair of functions"),
    ("10.1", (output_size, padding_floor), "longer by one"),
    ("10.1", (output_size, padding_ceiling), "that is the ceiling"),
    ("10.1", (output_size, padding_rounded_down), "shorter by one"),
    ("10.1", (output_size, padding_larger_left), "where is the larger part"),
    ("10.1", (output_size, padding_on_the_left), "all zeros are on one side"),
    ("10.1", (output_size, padding_halved), "sizes are whole numbers"),
    ("10.1", (output_size, padding_of_one_number), "two whole numbers"),
    ("10.2", separate_by_the_first, "was an entry that is 0 divided by"),
    ("10.2", separate_exactly, "up to rounding"),
    ("10.2", separate_always, "is no outer product"),
    ("10.2", separate_never, "None for the kernel"),
    ("10.2", separate_exchanged, "exchanged"),
    ("10.2", separate_undivided, "nothing is divided"),
    ("10.2", separate_by_means, "only proportional"),
    ("10.2", separate_by_sizes, "signs are lost"),
    ("10.2", separate_scaled, "times the kernel"),
    ("10.2", separate_as_columns, "the column"),
    ("10.2", separate_in_place, "itself was changed"),
    ("10.3", matrix_turned, "turned round"),
    ("10.3", matrix_transposed, "transposed"),
    ("10.3", matrix_standing_still, "same place in every row"),
    ("10.3", matrix_in_single_steps, "the kernel's place does not"),
    ("10.3", matrix_of_stride_one, "as many as with stride 1"),
    ("10.3", matrix_wrapped, "one row an input"),
    ("10.3", matrix_backward, "moves to the left"),
    ("10.3", matrix_of_ones, "not its weights"),
    ("10.3", matrix_short_by_one, "has shape (3, 6) where (4, 6)"),
    ("10.3", matrix_ready_made, "write the entries"),
    ("10.4", field_without_strides, "strides make no difference"),
    ("10.4", field_of_own_stride, "not for itself"),
    ("10.4", field_of_sizes, "two of 3 see 5"),
    ("10.4", field_of_products, "are multiplied"),
    ("10.4", field_of_last_stride, "all earlier ones multiply"),
    ("10.4", field_backward, "wrong order"),
    ("10.4", field_from_nothing, "first pixel is not counted"),
    ("10.4", field_wrong_when_empty, "sees itself"),
    ("10.4", field_emptying, "was changed"),
]


def as_answer(number, function):
    """What `check` is handed: a pair of functions in 10.1."""
    return (function, function) if number == "10.1" else function


KINDS = [
    None,
    "1.0",
    [1.0],
    True,
    math.nan,
    math.inf,
    torch.zeros(7),
    (None,) * 2,
    ("a",) * 4,
    4 * [math.nan],
    2 * [math.nan],
    2 * [torch.zeros(2)],
]


@pytest.mark.parametrize("value", KINDS, ids=str)
def test_paddings_of_the_wrong_kind(capsys, value):
    line = verdict(capsys, "10.1", (output_size, lambda kernel_size: value))
    assert line.startswith("✗")
    assert "your code raised" not in line
