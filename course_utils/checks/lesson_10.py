"""Checks of the exercises of lesson 10, convolutions."""

import torch
import torch.nn.functional as F

from course_utils.checks import (
    close,
    exercise,
    require,
    require_functions,
    require_number,
    require_tensor,
    with_calls,
)


@exercise(
    "10.1",
    "Keep the size, whatever the kernel",
    "Draw a row of 6 boxes and a window of 3. At which places can the window start? Then put two "
    "more boxes on the left, and one on the right: which number in the lesson's formula changes?",
    "The first window starts at 0. The last start is a multiple of the stride, and not beyond "
    "(padded size) - (kernel size). A quotient counts steps; how many starts are n steps?",
    "With stride 1 the kernel takes away its size minus 1. That is what both paddings must add up "
    "to. How do you halve an odd number in whole numbers, once down and once up?",
)
def check_sizes(answer, generator):
    require_functions(answer, "output_size", "same_padding")
    output_size, same_padding = answer
    cases = [(28, 3, 1, 0, 0), (28, 3, 1, 1, 1), (6, 6, 1, 0, 0), (28, 3, 2, 1, 1), (9, 2, 3, 0, 1)]
    for _ in range(40):
        size, kernel, stride, left, right = (
            int(torch.randint(low, high, (), generator=generator))
            for low, high in ((7, 40), (1, 8), (1, 5), (0, 4), (0, 4))
        )
        cases.append((size, kernel, stride, left, right))
    names = ("size", "kernel_size", "stride", "left", "right")
    found = []
    for case in cases:
        words = ", ".join(f"{name}={value}" for name, value in zip(names, case, strict=True))
        found.append(_whole(output_size(*case), f"the output size ({words})"))
    for words, formula in _WRONG_SIZES:
        named = found == [formula(*case) for case in cases]
        require(not named, f"`output_size`: {words}")
    for case, size in zip(cases, found, strict=True):
        words = ", ".join(f"{name}={value}" for name, value in zip(names, case, strict=True))
        right = size == _size_by_convolution(*case)
        require(right, f"`output_size({words})` is {size}, but a convolution gives another size")

    found = []
    for kernel in range(1, 10):
        what = f"the result of `same_padding({kernel})`"
        paddings = same_padding(kernel)
        require(paddings is not None, f"{what} is None: is a `return` missing?")
        pair = isinstance(paddings, tuple | list) and len(paddings) == 2
        require(pair, f"{what} must be two whole numbers: (left, right)")
        found.append(tuple(_whole(padding, what) for padding in paddings))
    for words, formula in _WRONG_PADDINGS:
        named = found == [formula(kernel) for kernel in range(1, 10)]
        require(not named, f"`same_padding`: {words}")
    for kernel, (left, right) in enumerate(found, start=1):
        kept = left + right == kernel - 1
        left_over = 28 + left + right - kernel + 1
        require(kept, f"`same_padding({kernel})`: with {left} and {right}, 28 become {left_over}")
        right_place = right - left in (0, 1)
        require(right_place, f"`same_padding({kernel})` gives {left} and {right}: not the halves")


def _whole(value, what):
    number = require_number(value, what)
    require(number == int(number), f"{what} is {number:g}: sizes are whole numbers")
    require(number >= 0, f"{what} is negative: {number:g}")
    return int(number)


def _size_by_convolution(size, kernel, stride, left, right):
    row = F.pad(torch.zeros(1, 1, size), (left, right))
    return F.conv1d(row, torch.zeros(1, 1, kernel), stride=stride).shape[-1]


_WRONG_SIZES = (
    ("one too few: n steps have n + 1 starts", lambda n, k, s, a, b: (n + a + b - k) // s),
    (
        "the 1 is added before the division by the stride: it is no step but the first start",
        lambda n, k, s, a, b: (n + a + b - k + 1) // s,
    ),
    ("the stride makes no difference", lambda n, k, s, a, b: n + a + b - k + 1),
    (
        "rounded up: a window must fit as a whole",
        lambda n, k, s, a, b: -(-(n + a + b - k) // s) + 1,
    ),
    ("padding is counted on one side only", lambda n, k, s, a, b: (n + a - k) // s + 1),
    ("padding is counted on one side only", lambda n, k, s, a, b: (n + b - k) // s + 1),
    ("`left` is counted twice; where is `right`?", lambda n, k, s, a, b: (n + 2 * a - k) // s + 1),
    ("padding makes no difference", lambda n, k, s, a, b: max(n - k, 0) // s + 1),
    (
        "the kernel takes away its size minus 1, not twice its half: think of even ones",
        lambda n, k, s, a, b: -(-(n + a + b - 2 * (k // 2)) // s),
    ),
    ("right for a kernel of 1 only", lambda n, k, s, a, b: -(-(n + a + b) // s)),
)
_WRONG_PADDINGS = (
    ("even kernels make the row longer by one", lambda k: (k // 2, k // 2)),
    ("that is the ceiling: odd kernels make the row longer by two", lambda k: ((k + 1) // 2,) * 2),
    ("even kernels make the row shorter by one", lambda k: ((k - 1) // 2,) * 2),
    ("the size is kept, but where is the larger part to be?", lambda k: (k // 2, (k - 1) // 2)),
    ("the size is kept, but all zeros are on one side", lambda k: (0, k - 1)),
    ("the size is kept, but all zeros are on one side", lambda k: (k - 1, 0)),
    ("on *each* side as much as both sides together need", lambda k: (k - 1, k - 1)),
)


@exercise(
    "10.2",
    "Two filters for the price of less than one",
    "In the outer product of a column c and a row r, the entry at (i, j) is c[i] · r[j]. Write one "
    "down for 3 × 3. How do its columns differ from each other?",
    "Take one column of the kernel as it is. The row then says by how much each column of the "
    "kernel is that one, multiplied. Which column must you not take?",
    "The place of the largest |entry| is a safe one to divide by. `kernel.abs().argmax()` counts "
    "through all entries; `divmod(place, width)` makes it a row and a column.",
    "Any kernel gives you some column and row that way. Only their outer product shows whether it "
    "was separable; rounding needs a tolerance.",
)
def check_separate(separate, generator):
    def normal(*shape):
        return torch.randn(shape, generator=generator)

    smooth, change = torch.tensor([1.0, 2.0, 1.0]), torch.tensor([-1.0, 0.0, 1.0])
    separable = [(normal(h), normal(w)) for h, w in ((3, 3), (3, 3), (5, 5), (3, 5), (4, 2))]
    separable += [(smooth, smooth / 16), (change, smooth), (smooth, change), (change, change)]
    separable += [(change.roll(1), smooth), (change.roll(-1), change.roll(-1))]  # 0 in a corner
    separable += [(100 * normal(3), normal(5)), (normal(5), 0.01 * normal(3))]
    for column, row in separable:
        kernel = torch.outer(column, row)
        case = f"the kernel {_rounded(kernel)}"
        result = _call_on_a_copy(separate, kernel)
        require(result is not None, f"None for {case}, which is an outer product up to rounding")
        found = _outer_of(result, kernel, case)
        size = kernel.abs().max().item()
        if close(found, kernel, 1e-3, 1e-5 * size):
            continue
        for words, wrong in _wrong_outers(kernel.double()):
            named = wrong.shape == found.shape and close(found, wrong, 1e-3, 1e-5 * size)
            require(not named, f"{case}: {words}")
        near = found.abs().max().item() > 0
        scale = (found * kernel).sum().item() / (kernel**2).sum().item()
        multiple = near and close(found, scale * kernel, 1e-3, 1e-5 * size * abs(scale))
        require(not multiple, f"{case}: column times row is {scale:.3g} times the kernel")
        require(False, f"{case}: column times row is {_rounded(found)}, another kernel")

    edge = torch.full((3, 3), -1.0)
    edge[1, 1] = 8.0
    almost = torch.outer(smooth, smooth)
    almost[2, 2] = 1.1
    for kernel in (edge, torch.eye(3), torch.eye(2).flip(0), almost, normal(3, 3), normal(3, 5)):
        result = _call_on_a_copy(separate, kernel)
        case = f"the kernel {_rounded(kernel)}"
        require(result is None, f"{case} is no outer product: the answer is None")


def _rounded(kernel):
    return [[float(f"{value:.3g}") for value in line] for line in kernel.tolist()]


def _call_on_a_copy(separate, kernel):
    given = kernel.clone()
    result = separate(given)
    require(torch.equal(given, kernel), "the kernel itself was changed: make new tensors")
    return result


def _outer_of(result, kernel, case):
    pair = isinstance(result, tuple | list) and len(result) == 2
    require(pair, f"{case}: the answer is a pair (column, row), or None")
    for value in result:
        if isinstance(value, torch.Tensor) and value.is_floating_point():
            finite = bool(value.isfinite().all())
            require(finite, f"{case} gives NaN or infinity: was an entry that is 0 divided by?")
    column = require_tensor(result[0], kernel[:, 0], f"the column ({case})")
    row = require_tensor(result[1], kernel[0], f"the row ({case})")
    return torch.outer(column, row)


def _wrong_outers(kernel):
    """Yield (what the check says, the outer product of that mistake)."""
    if kernel.shape[0] == kernel.shape[1] and not close(kernel, kernel.T):
        yield "column and row are exchanged", kernel.T
    if (kernel < 0).any() and (kernel > 0).any():
        yield "the signs are lost", kernel.abs()
    place = int(kernel.abs().argmax())
    i, j = divmod(place, kernel.shape[1])
    for words, column, row in (
        ("nothing is divided: one entry is in the column *and* in the row", i, j),
        ("nothing is divided: one entry is in the column *and* in the row", 0, 0),
    ):
        yield words, torch.outer(kernel[:, row], kernel[column])
    means = torch.outer(kernel.mean(dim=1), kernel.mean(dim=0))
    yield "the means of rows and columns are only proportional to the factors", means
    sums = torch.outer(kernel.sum(dim=1), kernel.sum(dim=0))
    yield "the sums of rows and columns are only proportional to the factors", sums


@exercise(
    "10.3",
    "A convolution written as a matrix",
    "Write it on paper for 5 inputs and a kernel of 2. Which inputs does the first output use, and "
    "with which weights? That is the first row of the matrix; all others in it are 0.",
    "How many rows are there? The lesson's formula says it, without padding.",
    "From one row to the next the same kernel moves to the right. By how much, with a stride?",
    "`torch.zeros(rows, columns)`, then a loop over the rows that writes the kernel to a slice.",
)
def check_matrix(convolution_matrix, generator):
    # Square matrices (a kernel of 1) hide nothing but come late: others show what is transposed.
    cases = [(6, 3, 1), (5, 2, 1), (9, 3, 2), (8, 3, 2), (10, 4, 3), (12, 5, 4), (7, 7, 1)]
    for size, width, stride in (*cases, (4, 1, 1), (7, 2, 5)):
        kernel = torch.randn(width, generator=generator)
        given = kernel.clone()
        result, names = with_calls(convolution_matrix, given, size, stride)
        require(torch.equal(given, kernel), "the kernel itself was changed: make a new tensor")
        called = sorted(name for name in set(names) if name.startswith(("conv", "unfold", "fold")))
        require(not called, f"PyTorch's own {(*called, '')[0]} is called: write the entries")
        case = f"size {size}, kernel of {width}, stride {stride}"
        expected = _matrix(kernel.double(), size, stride)
        if isinstance(result, torch.Tensor):
            shape, rows = tuple(result.shape), len(expected)
            transposed = shape == (size, rows) and size != rows
            require(not transposed, f"{case}: transposed; one row an output is needed")
            every = shape == (size - width + 1, size) and shape[0] != rows
            require(not every, f"{case}: {shape[0]} rows, as many as with stride 1")
            around = shape == (size, size) and rows != size
            require(not around, f"{case}: one row an input; the last windows do not fit")
        found = require_tensor(result, expected, f"the matrix ({case})")
        if close(found, expected):
            continue
        for words, wrong in _wrong_matrices(kernel.double(), size, stride):
            require(not close(found, wrong), f"{case}: {words}")
        i, j = divmod(int((found - expected).abs().argmax()), size)
        wrong = f"{found[i, j]:.3g}"
        require(False, f"{case}: in row {i} and column {j} stands {wrong}, which is wrong")


def _matrix(kernel, size, stride):
    identity = torch.eye(size, dtype=kernel.dtype)[:, None]  # one input 1, all others 0, in turn
    return F.conv1d(identity, kernel[None, None], stride=stride)[:, 0].T


def _wrong_matrices(kernel, size, stride):
    """Yield (what the check says, the values of that mistake)."""
    right = _matrix(kernel, size, stride)
    yield "the kernel is turned round, as SciPy does it", _matrix(kernel.flip(0), size, stride)
    yield "the kernel stands in the same place in every row", right[:1].expand_as(right)
    yield "the kernel moves to the left from row to row", right.flip(0)
    by_one = _matrix(kernel, size, 1)[: len(right)]
    yield "the number of rows knows the stride, the kernel's place does not", by_one
    yield "the rows sum up to 1: nothing must be divided", right / right.sum(dim=1, keepdim=True)
    full = torch.zeros_like(right)
    for i in range(len(right)):
        full[i, i * stride :] = kernel.repeat(size)[: size - i * stride]
    yield "the kernel is repeated along each row; it stands there once", full
    yield "ones where the kernel is, not its weights", (right != 0).double()


@exercise(
    "10.4",
    "How far does a stack of layers see?",
    "Begin at the end: one pixel of the last output looks at K pixels of the layer before. Draw "
    "two layers with kernels of 3, and count the inputs that are reached.",
    "Each layer adds K - 1 of *its own* inputs to what is seen. If strides came before, neighbors "
    "among its inputs lie several original pixels apart.",
    "Keep two numbers: how much is seen, and how far apart neighbors are. The second one changes "
    "*after* the layer has been counted, since a stride spreads what comes later.",
)
def check_receptive_field(receptive_field, generator):
    stacks = [[(3, 1)], [(3, 1), (3, 1)], [(5, 1), (3, 1)], [(3, 2), (3, 1)], [(3, 1), (3, 2)]]
    stacks += [[(3, 1), (2, 2), (3, 1), (2, 2), (3, 1)], [(1, 3), (4, 1)], [(2, 2)] * 4, []]
    for _ in range(12):
        numbers = torch.randint(1, 5, (3, 2), generator=generator)
        stacks.append([(2 + int(kernel), min(int(stride), 3)) for kernel, stride in numbers])
    found = []
    for stack in stacks:
        given = list(stack)
        number = require_number(receptive_field(given), f"the receptive field of {stack}")
        require(given == stack, "the list of layers was changed: leave it as it is")
        found.append(number)
    expected = [_seen(stack) for stack in stacks]
    if found == expected:
        return
    for words, wrong in _WRONG_FIELDS:
        require(found != [wrong(stack) for stack in stacks], words)
    bad = next(i for i in range(len(stacks)) if found[i] != expected[i])
    require(bool(stacks[bad]), f"without any layer a pixel sees itself: 1, not {found[bad]:g}")
    require(False, f"{stacks[bad]}: {found[bad]:g} is not what one output depends on")


def _seen(stack):
    """How many inputs have a gradient from one output, by asking autograd."""
    size = 1
    for kernel, stride in reversed(stack):
        size = (size - 1) * stride + kernel
    x = torch.zeros(1, 1, size + 5, dtype=torch.float64, requires_grad=True)
    values = x
    for kernel, stride in stack:
        weight = torch.ones(1, 1, kernel, dtype=torch.float64)
        values = F.conv1d(values, weight, stride=stride)
    values[0, 0, 0].backward()
    places = x.grad.flatten().nonzero()  # a stride beyond the kernel leaves holes between
    return int(places.max() - places.min()) + 1


def _field(stack, early=False, spread=lambda jump, stride: jump * stride, add=lambda k: k - 1):
    seen, jump = 1, 1
    for kernel, stride in stack:
        if early:
            jump = spread(jump, stride)
        seen += add(kernel) * jump
        if not early:
            jump = spread(jump, stride)
    return seen


def _product(stack, column):
    result = 1
    for layer in stack:
        result *= layer[column]
    return result


_WRONG_FIELDS = (
    (
        "the strides make no difference: (3, 2) before (3, 1) sees more than (3, 1) before (3, 1)",
        lambda stack: _field(stack, spread=lambda jump, stride: 1),
    ),
    ("a layer's stride counts for the layers after it, not for itself", lambda s: _field(s, True)),
    (
        "each layer adds its kernel's size; neighboring windows overlap, so it is one less",
        lambda stack: _field(stack, add=lambda k: k),
    ),
    (
        "the kernel sizes are added up, but windows overlap: two of 3 see 5",
        lambda stack: sum(kernel for kernel, _ in stack),
    ),
    ("the kernel sizes are multiplied: two of 3 see 5, not 9", lambda stack: _product(stack, 0)),
    (
        "only the stride just before counts; all earlier ones multiply",
        lambda stack: _field(stack, spread=lambda jump, stride: stride),
    ),
    (
        "strides are added up where they multiply",
        lambda stack: _field(stack, spread=lambda jump, stride: jump + stride - 1),
    ),
    ("the layers are taken in the wrong order", lambda stack: _field(stack[::-1])),
    ("the first pixel is not counted", lambda stack: _field(stack) - 1),
)
