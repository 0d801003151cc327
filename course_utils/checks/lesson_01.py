"""Checks of the exercises of lesson 01, tensors."""

import itertools
import operator

import torch

from course_utils.checks import (
    close,
    exercise,
    require,
    require_number,
    require_tensor,
    with_calls,
)


@exercise(
    "01.1",
    "The mean, by loops",
    "`tensor.shape` has three sizes. How many loops reach every number, and what does each count?",
    "Before the loops the total is 0. What is to be done with it in the innermost loop, and what "
    "once all loops have ended?",
    "A total that stays wrong for pixels: print it after each step. What type is it? `.item()` "
    "turns one number of a tensor into Python's own, which never runs over.",
)
def check_mean(mean_by_loops, generator):
    kinds = (torch.float32, torch.int64, torch.uint8, torch.float32, torch.int64)
    for dtype, shape in zip(kinds, _shapes(generator), strict=False):
        if dtype.is_floating_point:
            tensor = 5 + 3 * torch.randn(shape, generator=generator)
        else:
            low = 100 if dtype == torch.uint8 else -20
            tensor = torch.randint(low, 256, shape, generator=generator).to(dtype)
        total, count = tensor.double().sum().item(), tensor.numel()
        if total % count == 0:  # a mean that happens to be whole hides a lost fraction
            tensor[0, 0, 0] -= 1
            total -= 1
        result, names = with_calls(mean_by_loops, tensor.clone())
        value = require_number(result, "what `mean_by_loops` returns")
        ready_made = sorted({"mean", "sum", "nanmean", "nansum", "std_mean", "cumsum"} & set(names))
        require(not ready_made, f"PyTorch's own {ready_made[:1]} is called: add up in loops")
        if close(value, total / count):
            continue
        case = f"shape {shape}, {dtype}"
        wrapped = dtype == torch.uint8 and value < 50
        require(not wrapped, f"{case}: the total ran over, since `torch.uint8` ends at 255")
        require(not close(value, total), f"{case}: that is the sum of all numbers, not their mean")
        floored = value in (total // count, int(total / count))
        require(not floored, f"{case}: the fraction of the mean is lost; which division keeps it?")
        for divisor in {*shape, sum(shape), *(count // size for size in shape)}:
            wrong = close(value, total / divisor)
            require(not wrong, f"{case}: divided by {divisor}; how many numbers were added?")
        full = tensor.double()
        parts = {
            "the numbers of the last sheet only are added": full[-1],
            "the numbers of the last row only are added": full[-1, -1],
            "the numbers at index 0 of an axis are left out": full[1:, 1:, 1:],
            "the numbers at the end of an axis are left out": full[:-1, :-1, :-1],
        }
        for words, part in parts.items():
            added = part.sum().item()
            wrong = any(close(value, added / number) for number in (count, max(1, part.numel())))
            require(not wrong, f"{case}: {words}")
        require(False, f"{case}: {value:.4g} is not the mean of the {count} numbers")


@exercise(
    "01.2",
    "Where is the 13?",
    "Three loops again, one for each axis: the outermost counts i, the innermost k.",
    "Where does a function end as soon as it has found what it looked for? What does it return if "
    "all loops end without?",
    "Without loops: `tensor == value` is a tensor of booleans, and `torch.nonzero` lists where it "
    "is true, in reading order. Mind the case of an empty list, and the types of what you return.",
)
def check_find_index(find_index, generator):
    shapes = itertools.islice(_shapes(generator), 12)
    for trial, shape in enumerate(shapes):
        tensor = torch.randint(0, 8, shape, generator=generator)
        tensor = tensor / 4 if trial % 2 else tensor
        place = int(torch.randint(tensor.numel(), (1,), generator=generator))
        value = tensor.flatten()[place].item()
        expected = tuple(torch.nonzero(tensor == value)[0].tolist())
        case = f"looking for {value} in a tensor of shape {shape}"
        found = find_index(tensor.clone(), value)
        require(found is not None, f"{case}: None is returned, but the value is there")
        place = _place(found, case)
        if place == expected:
            continue
        inside = all(0 <= i < size for i, size in zip(place, shape, strict=True))
        if inside and tensor[place].item() == value:
            require(False, f"{case}: it stands at {place}, but in reading order also earlier")
        from_one = place == tuple(i + 1 for i in expected)
        require(not from_one, f"{case}: {place} counts from 1; indices begin at 0")
        swapped = sorted(place) == sorted(expected)
        require(not swapped, f"{case}: in {place} the axes are in another order than in the shape")
        require(inside, f"{case}: {place} lies outside the tensor")
        require(False, f"{case}: at {place} stands {tensor[place].item()}")
    found = find_index(torch.zeros(2, 3, 4), 13)
    require(found is None, f"a value that is nowhere in the tensor gives {found!r} instead of None")


@exercise(
    "01.3",
    "From which size on is the accelerator faster?",
    "A speedup of 3 means that the accelerator needs a third of the CPU's time. Which of the two "
    "times is divided by which?",
    "Walk through the sizes from the largest down, as long as the accelerator is faster. Where do "
    "you stop?",
    "Or: where is the last size at which it is not faster? What follows that, and what if nothing "
    "does?",
)
def check_crossover(crossover, generator):
    for trial in range(16):
        length = int(torch.randint(4, 11, (1,), generator=generator))
        start = int(torch.randint(0, 4, (1,), generator=generator))
        sizes = [2 ** (start + i) for i in range(length)]
        fast = (torch.rand(length, generator=generator) < 0.5).tolist()
        if trial % 4 == 1:
            fast[-3:] = [False, True, True]
        elif trial % 4 == 2:
            fast = [trial > 8] * length
        elif trial % 4 == 3:
            fast[-1] = False
        gain = 1.2 + 5 * torch.rand(length, generator=generator, dtype=torch.float64)
        accelerator = [
            1e-5 * (1 + i) * float(torch.rand(1, generator=generator) + 0.5) for i in range(length)
        ]
        cpu = [
            a * g if f else a / g for a, g, f in zip(accelerator, gain.tolist(), fast, strict=True)
        ]
        if trial % 4 == 1:
            cpu[-3] = accelerator[-3]  # as fast is not faster
        _compare_crossover(crossover, sizes, cpu, accelerator)


def _compare_crossover(crossover, sizes, cpu, accelerator):
    result = crossover(list(sizes), list(cpu), list(accelerator))
    require(result is not None, "it returns None instead of a pair: is a `return` missing?")
    pair = isinstance(result, tuple | list) and len(result) == 2
    require(pair, "`crossover` must return two things: the speedups, and a size or None")
    speedups, smallest = result
    listed = isinstance(speedups, list | tuple) or getattr(speedups, "ndim", 0) == 1
    require(listed, f"the speedups must be a list, not {type(speedups).__name__}")
    speedups = [require_number(speedup, "a speedup") for speedup in speedups]
    count = len(sizes)
    require(len(speedups) == count, f"there are {len(speedups)} speedups for {count} sizes")
    expected = [c / a for c, a in zip(cpu, accelerator, strict=True)]
    upside_down = close(speedups, [1 / e for e in expected])
    require(not upside_down, "the speedups are upside down: above 1 the accelerator is faster")
    differences = close(speedups, [c - e for c, e in zip(cpu, accelerator, strict=True)], atol=0)
    require(not differences, "a speedup is a ratio, how many times as fast; this is a difference")
    require(close(speedups, expected), "the speedups are not ratios of the two lists of seconds")

    slow = [i for i, speedup in enumerate(expected) if speedup <= 1]
    first = slow[-1] + 1 if slow else 0
    right = sizes[first] if first < count else None
    if smallest is not None:
        smallest = require_number(smallest, "the size")
    if smallest == right:
        return
    case = "where the speedups are " + ", ".join(f"{speedup:.2g}" for speedup in expected)
    require(smallest is not None, f"{case}: the size is None, but it is faster at the largest")
    require(smallest in sizes or smallest != first, f"{case}: {first} counts sizes; return a size")
    require(smallest in sizes, f"{case}: {smallest:g} is not one of the sizes")
    place = sizes.index(smallest)
    tie = min(expected[place:]) == 1
    require(not tie, f"{case}: at one of 1 it is as fast as the CPU, which is not faster")
    require(expected[place] > 1, f"{case}: at {smallest:g} the CPU is faster")
    stays = all(speedup > 1 for speedup in expected[place:])
    require(stays, f"{case}: it is faster at {smallest:g}, but does not stay so for larger ones")
    require(False, f"{case}: {smallest:g} is not the smallest from which on it is faster")


@exercise(
    "01.4",
    "Standardize by broadcasting",
    "`mean` and `std` take `dim`, the axis that disappears. For a mean of each column, which axis "
    "must disappear?",
    "Print the shapes of the table and of its means, for both values of `dim`. Which of them does "
    "broadcasting line up rightly by itself? `keepdim` helps the other.",
    "Where a spread is 0, all numbers minus their mean are 0 too: any divisor but 0 will do there. "
    "`torch.where` chooses between two tensors.",
)
def check_standardize(standardize, generator):
    # Square tables come first: on them a wrongly broadcast mean raises nothing.
    for shape, dim in (((4, 4), 1), ((4, 4), 0), ((6, 3), 0), ((3, 5), 1), ((2, 7), 0)):
        scales = 10 ** (2 * torch.rand(shape[1 - dim], generator=generator) - 1)  # 0.1 to 10
        scales = scales if dim == 0 else scales[:, None]
        table = scales * (torch.randn(shape, generator=generator) + 3)
        before = table.clone()
        result = standardize(table, dim)
        require(torch.equal(table, before), "the table itself was changed: compute a new one")
        case = f"shape {shape}, dim={dim}"
        value = require_tensor(result, table, f"the result ({case})")
        require(result.dtype == table.dtype, f"the dtype has become {result.dtype}")
        if close(value, _standardized(before, dim), 1e-3, 1e-4):
            continue
        for words, wrong in _wrongly_standardized(before, dim).items():
            require(not close(value, wrong, 1e-3, 1e-4), f"{case}: {words}")
        require(False, f"{case}: means of 0 and spreads of 1 are not reached")
    for dim in (0, 1):
        table = torch.randn(5, 5, generator=generator)
        table.select(1 - dim, 2).fill_(7.0)
        result = standardize(table.clone(), dim)
        holes = isinstance(result, torch.Tensor) and not result.isfinite().all()
        name = ("column", "row")[dim]
        require(not holes, f"dim={dim}: a constant {name} gives NaN, which is 0 divided by 0")
        value = require_tensor(result, table, f"the result (dim={dim}, one {name} constant)")
        right = close(value, _standardized(table, dim), 1e-3, 1e-4)
        require(right, f"dim={dim}: with a constant {name} the values are not the right ones")
    for shape, dim in (((400, 2), 0), ((2, 400), 0), ((400, 2), 1)):
        _, names = with_calls(standardize, torch.randn(shape, generator=generator), dim)
        few = len(names) <= 100
        require(few, f"{len(names)} calls of PyTorch for a table of shape {shape}: is it a loop?")


def _standardized(table, dim, correction=0, power=1):
    centered = table.double() - table.double().mean(dim, keepdim=True)
    spread = table.double().std(dim, correction=correction, keepdim=True) ** power
    return torch.where(spread > 0, centered / spread, 0.0)


def _wrongly_standardized(table, dim):
    """Results of likely mistakes, by what the check says about them."""
    x = table.double()
    wrong = {
        "the other axis is standardized; `dim` is the one that the mean runs along": (
            _standardized(x, 1 - dim)
        ),
        "the spread is the one divided by N - 1; the task asks for N": (
            _standardized(x, dim, correction=1)
        ),
        "one mean and one spread of the whole table are used": (
            (x - x.mean()) / x.std(correction=0)
        ),
        "divided by the variance, not by its root": _standardized(x, dim, power=2),
        "the means are subtracted, the spread is not divided by": _standardized(x, dim, power=0),
        "divided by the spread, the means are not subtracted": (
            x / x.std(dim, correction=0, keepdim=True)
        ),
    }
    if x.shape[0] == x.shape[1]:
        means, spreads = x.mean(dim), x.std(dim, correction=0)
        crossed = (means, spreads) if dim == 1 else (means[:, None], spreads[:, None])
        words = f"means of shape {tuple(crossed[0].shape)} line up with the other axis"
        wrong[words] = (x - crossed[0]) / crossed[1]
    return wrong


@exercise(
    "01.5",
    "Which shapes multiply?",
    "For two matrices: which size of `a` must equal which size of `b`, and which two remain?",
    "With more axes, cut each shape in two: the last two sizes, and the batch before them. The "
    "batches follow the rule of broadcasting.",
    "Broadcasting compares from the right. Fill the shorter batch with ones on its left; then each "
    "pair of sizes must be equal or contain a 1.",
)
def check_product_shape(product_shape, generator):
    simple = [
        ((2, 3), (3, 4)), ((2, 3), (2, 3)), ((3, 2), (3, 2)), ((2, 1), (3, 2)), ((2, 3), (3, 3)),
        ((5, 2, 3), (5, 3, 4)), ((5, 2, 3), (4, 3, 4)), ((5, 2, 3), (3, 4)), ((2, 3), (5, 3, 4)),
        ((5, 2, 3), (1, 3, 4)), ((6, 5, 2, 3), (5, 3, 4)), ((6, 5, 2, 3), (6, 3, 4)),
        ((6, 1, 2, 3), (5, 3, 4)), ((5, 2, 1), (5, 3, 4)), ((5, 2, 3), (5, 2, 3)),
    ]  # fmt: skip
    for a, b in simple + [_drawn_shapes(generator) for _ in range(200)]:
        expected = _matmul_shape(a, b)
        result, names = with_calls(product_shape, a, b)
        multiplied = {"matmul", "__matmul__", "__rmatmul__", "mm", "bmm", "einsum"} & set(names)
        require(not multiplied, "PyTorch is asked for the product: use the two shapes alone")
        case = f"a of shape {a}, b of shape {b}"
        if result is not None:
            result = _shape(result, case)
        if result == expected:
            continue
        if expected is None:
            if a[-1] == b[-2]:
                require(False, f"{case}: {result} is returned, but the batches do not fit")
            ones = 1 in (a[-1], b[-2])
            require(not ones, f"{case}: {result} is returned; is 1 stretched outside the batch?")
            require(False, f"{case}: {result} is returned, but the two cannot be multiplied")
        if result is None:
            if len(a) == len(b) == 2:
                require(False, f"{case}: None is returned, but these can be multiplied")
            same = a[:-2] == b[:-2]
            require(not same, f"{case}: None is returned, though both are batches of one size")
            length = "unequal length" if len(a) != len(b) else "equal length"
            require(False, f"{case}: None is returned, but these batches of {length} fit")
        matrix = result[-2:] == expected[-2:]
        require(matrix, f"{case}: {result} is returned; its last two sizes are not the product's")
        require(False, f"{case}: {result} is returned; the batch is not the right one")


def _matmul_shape(a, b):
    """What `torch.matmul` says, on tensors that have a shape but no numbers."""
    try:
        return tuple((torch.empty(a, device="meta") @ torch.empty(b, device="meta")).shape)
    except RuntimeError:
        return None


def _drawn_shapes(generator):
    """Two shapes of 2 to 4 axes, which can be multiplied about every other time."""

    def draw(count, sizes):
        places = torch.randint(len(sizes), (count,), generator=generator)
        return [sizes[place] for place in places.tolist()]

    a, b = (draw(draw(1, (2, 3, 4))[0], (1, 2, 3)) for _ in range(2))
    if draw(1, (0, 1, 1))[0]:
        b[-2] = a[-1]
    shared = min(len(a), len(b))
    for axis in range(3, shared + 1):
        if draw(1, (0, 1))[0]:
            b[-axis] = draw(1, (a[-axis], 1))[0]
    return tuple(a), tuple(b)


def _shapes(generator):
    """Shapes of three sizes, all different, without end: nothing may rely on equal ones."""
    while True:
        order = torch.randperm(4, generator=generator)[:3]
        yield tuple((order + 2).tolist())


def _place(found, case):
    """A place (i, j, k) as three plain integers."""
    counted = isinstance(found, int) and not isinstance(found, bool)
    require(not counted, f"{case}: one number is returned; give one for each of the three axes")
    tensor = isinstance(found, torch.Tensor)
    require(not tensor, f"{case}: a tensor is returned, which picks whole sheets; give a tuple")
    place = _integers(found)
    three = place is not None and len(place) == 3
    require(three, f"{case}: the place must be a tuple of three integers, not {found!r}")
    return place


def _shape(result, case):
    shape = _integers(result)
    require(shape is not None, f"{case}: the result must be a tuple of integers, not {result!r}")
    return shape


def _integers(values):
    """A tuple or list of integers as a tuple of Python's own; None if it is not one."""
    if not isinstance(values, tuple | list) or any(isinstance(v, bool) for v in values):
        return None
    try:
        return tuple(operator.index(value) for value in values)
    except TypeError:
        return None
