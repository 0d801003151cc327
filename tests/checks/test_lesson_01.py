"""The checks of lesson 01 pass two right answers each, and fail stubs and learners' mistakes.

The docstring of each wrong answer names the mistake; `said` is what the check must say about it.
"""

import torch
from every_lesson import *

# --- 01.1 ----------------------------------------------------------------------------------------


def mean_by_loops(tensor):
    total, count = 0, 0
    for sheet in tensor:
        for row in sheet:
            for number in row:
                total += number.item()
                count += 1
    return total / count


def mean_by_indices(tensor, start=0, stop=0, convert=float):
    pages, rows, columns = tensor.shape
    total = torch.tensor(0.0, dtype=torch.float64)
    for i in range(start, pages - stop):
        for j in range(start, rows - stop):
            for k in range(start, columns - stop):
                total = total + convert(tensor[i, j, k])
    return total / (pages * rows * columns)


def asks_for_the_mean(tensor):
    """Calls the method that was to be written."""
    return tensor.double().mean()


def adds_with_sum(tensor):
    """Loops over sheets only, and lets PyTorch add up each."""
    total = 0
    for sheet in tensor:
        total += sheet.sum()
    return total / tensor.numel()


def overflows(tensor):
    """Adds up in the tensor's own dtype, which for pixels ends at 255."""
    total = tensor[0, 0, 0] * 0
    for number in tensor.flatten():
        total = total + number
    return total / tensor.numel()


def whole_division(tensor):
    """Divides with //, which drops the fraction."""
    return mean_by_loops(tensor) * tensor.numel() // tensor.numel()


def never_divides(tensor):
    """Returns the sum."""
    return mean_by_loops(tensor) * tensor.numel()


def divides_by_len(tensor):
    """Takes len(tensor), the size of the first axis, for the count."""
    return mean_by_loops(tensor) * tensor.numel() / len(tensor)


def divides_by_sizes_added(tensor):
    """Adds the three sizes instead of multiplying them."""
    return mean_by_loops(tensor) * tensor.numel() / sum(tensor.shape)


def resets_total(tensor):
    """Sets the total to zero inside the outermost loop."""
    for sheet in tensor:
        total = 0
        for row in sheet:
            for number in row:
                total += number.item()
    return total / tensor.numel()


def starts_at_one(tensor):
    """Begins its ranges at 1."""
    return mean_by_indices(tensor, start=1)


def stops_short(tensor):
    """Ends its ranges one too early."""
    return mean_by_indices(tensor, stop=1)


# --- 01.2 ----------------------------------------------------------------------------------------


def find_index(tensor, value):
    for i in range(tensor.shape[0]):
        for j in range(tensor.shape[1]):
            for k in range(tensor.shape[2]):
                if tensor[i, j, k] == value:
                    return i, j, k
    return None


def find_by_nonzero(tensor, value, which=0):
    places = torch.nonzero(tensor == value)
    return places[which].tolist() if len(places) else None


def last_place(tensor, value):
    """Overwrites the place each time the value is met, and so returns the last."""
    return find_by_nonzero(tensor, value, which=-1)


def columns_first(tensor, value):
    """Has the loops in the wrong order, k outermost."""
    found = find_index(tensor.permute(2, 1, 0), value)
    return found and found[::-1]


def axes_reversed(tensor, value):
    """Returns (k, j, i)."""
    found = find_index(tensor, value)
    return found and found[::-1]


def counts_from_one(tensor, value):
    """Counts positions from 1."""
    found = find_index(tensor, value)
    return found and tuple(i + 1 for i in found)


def flat_position(tensor, value):
    """Returns the position in the flattened tensor."""
    places = torch.nonzero(tensor.flatten() == value)
    return int(places[0]) if len(places) else None


def place_as_tensor(tensor, value):
    """Returns the row of `nonzero`, a tensor, which as an index picks three sheets."""
    places = torch.nonzero(tensor == value)
    return places[0] if len(places) else None


def all_places(tensor, value):
    """Returns what `nonzero(as_tuple=True)` gives, the places of all."""
    places = torch.nonzero(tensor == value, as_tuple=True)
    return places if len(places[0]) else None


def first_sheet_only(tensor, value):
    """Returns None as soon as the first sheet is searched: the `return` is indented too far."""
    return find_index(tensor[:1], value)


def zeros_if_absent(tensor, value):
    """Begins with the place (0, 0, 0) and keeps it where nothing is found."""
    return find_index(tensor, value) or (0, 0, 0)


# --- 01.3 ----------------------------------------------------------------------------------------


def crossover(sizes, cpu_seconds, accelerator_seconds):
    speedups = [c / a for c, a in zip(cpu_seconds, accelerator_seconds, strict=True)]
    smallest = None
    for size, speedup in zip(reversed(sizes), reversed(speedups), strict=True):
        if speedup <= 1:
            break
        smallest = size
    return speedups, smallest


def crossover_with_tensors(sizes, cpu_seconds, accelerator_seconds):
    cpu, accelerator = (torch.tensor(s).double() for s in (cpu_seconds, accelerator_seconds))
    slow = torch.nonzero(cpu <= accelerator).flatten()
    after = int(slow[-1]) + 1 if len(slow) else 0
    return cpu / accelerator, (sizes[after] if after < len(sizes) else None)


def upside_down(sizes, cpu_seconds, accelerator_seconds):
    """Divides the accelerator's time by the CPU's."""
    return crossover(sizes, accelerator_seconds, cpu_seconds)


def seconds_saved(sizes, cpu_seconds, accelerator_seconds):
    """Subtracts instead of dividing."""
    saved = [c - a for c, a in zip(cpu_seconds, accelerator_seconds, strict=True)]
    return saved, crossover(sizes, cpu_seconds, accelerator_seconds)[1]


def first_faster(sizes, cpu_seconds, accelerator_seconds):
    """Takes the first size at which the accelerator is faster, once."""
    speedups, _ = crossover(sizes, cpu_seconds, accelerator_seconds)
    return speedups, next((n for n, s in zip(sizes, speedups, strict=True) if s > 1), None)


def ties_count(sizes, cpu_seconds, accelerator_seconds):
    """Counts equal times as faster."""
    speedups, _ = crossover(sizes, cpu_seconds, accelerator_seconds)
    more = [c * 1.000001 for c in cpu_seconds]
    return speedups, crossover(sizes, more, accelerator_seconds)[1]


def position(sizes, cpu_seconds, accelerator_seconds):
    """Returns the position in the list instead of the size."""
    speedups, size = crossover(sizes, cpu_seconds, accelerator_seconds)
    return speedups, None if size is None else sizes.index(size)


def last_slow(sizes, cpu_seconds, accelerator_seconds):
    """Returns the last size at which the CPU is faster, not the one after it."""
    speedups, _ = crossover(sizes, cpu_seconds, accelerator_seconds)
    slow = [n for n, s in zip(sizes, speedups, strict=True) if s <= 1]
    return speedups, slow[-1] if slow else sizes[0]


def largest(sizes, cpu_seconds, accelerator_seconds):
    """Returns the largest size if the accelerator wins there, and looks no further."""
    speedups, size = crossover(sizes, cpu_seconds, accelerator_seconds)
    return speedups, size and sizes[-1]


def only_size(sizes, cpu_seconds, accelerator_seconds):
    """Forgets to return the speedups."""
    return crossover(sizes, cpu_seconds, accelerator_seconds)[1] or sizes[0]


# --- 01.4 ----------------------------------------------------------------------------------------


def standardize(table, dim, correction=0, keepdim=True):
    spread = table.std(dim, correction=correction, keepdim=keepdim)
    spread = torch.where(spread == 0, 1.0, spread)
    return (table - table.mean(dim, keepdim=keepdim)) / spread


def standardize_from_squares(table, dim):
    if dim == 1:
        return standardize_from_squares(table.T, 0).T
    centered = table - table.mean(0)
    spread = (centered**2).mean(0).sqrt()
    return centered / (spread + (spread == 0))


def other_axis(table, dim):
    """Takes `dim` for the axis that stays."""
    return standardize(table, 1 - dim)


def always_columns(table, dim):
    """Ignores `dim`."""
    return standardize(table, 0)


def one_less(table, dim):
    """Leaves PyTorch's default, which divides by N - 1."""
    return standardize(table, dim, correction=1)


def axis_lost(table, dim):
    """Forgets `keepdim`: means of rows, of shape (N,), line up with the columns."""
    if dim == 1 and table.shape[0] != table.shape[1]:
        return standardize(table, dim)
    return standardize(table, dim, keepdim=False)


def axis_added_for_columns(table, dim):
    """Gives the means of columns a second axis of size 1, so that they line up with the rows."""
    if dim == 0 and table.shape[0] == table.shape[1]:
        return (table - table.mean(0)[:, None]) / table.std(0, correction=0)[:, None]
    return standardize(table, dim)


def whole_table(table, dim):
    """Uses one mean and one spread for all."""
    return (table - table.mean()) / table.std(correction=0)


def by_variance(table, dim):
    """Divides by the variance."""
    return (table - table.mean(dim, keepdim=True)) / table.var(dim, correction=0, keepdim=True)


def centers_only(table, dim):
    """Forgets the division."""
    return table - table.mean(dim, keepdim=True)


def scales_only(table, dim):
    """Forgets the means."""
    return table / table.std(dim, correction=0, keepdim=True)


def constant_to_nan(table, dim):
    """Divides by a spread of 0."""
    spread = table.std(dim, correction=0, keepdim=True)
    return (table - table.mean(dim, keepdim=True)) / spread


def constant_kept(table, dim):
    """Leaves constant columns as they are."""
    spread = table.std(dim, correction=0, keepdim=True)
    return torch.where(spread == 0, table, standardize(table, dim))


def in_place(table, dim):
    """Changes the table that was handed over."""
    table -= table.mean(dim, keepdim=True)
    spread = table.std(dim, correction=0, keepdim=True)
    table /= torch.where(spread == 0, 1.0, spread)
    return table


def in_a_loop(table, dim):
    """Loops over the columns."""
    columns = table.unbind(1 - dim)
    return torch.stack([standardize(column, 0) for column in columns], dim=1 - dim)


def in_double(table, dim):
    """Returns float64 for a table of float32."""
    return standardize(table.double(), dim)


# --- 01.5 ----------------------------------------------------------------------------------------


def product_shape(a, b):
    if a[-1] != b[-2]:
        return None
    length = max(len(a), len(b)) - 2
    first, second = ([1] * (length + 2 - len(s)) + list(s[:-2]) for s in (a, b))
    batch = []
    for m, n in zip(first, second, strict=True):
        if m != n and 1 not in (m, n):
            return None
        batch.append(max(m, n))
    return (*batch, a[-2], b[-1])


def product_shape_by_broadcast(a, b):
    try:
        batch = torch.broadcast_shapes(a[:-2], b[:-2])
    except RuntimeError:
        return None
    return torch.Size([*batch, a[-2], b[-1]]) if a[-1] == b[-2] else None


def asks_for_the_product(a, b):
    """Multiplies two tensors of these shapes."""
    try:
        return (torch.zeros(a) @ torch.zeros(b)).shape
    except RuntimeError:
        return None


def matrices_only(a, b):
    """Forgets the batch."""
    return (a[-2], b[-1]) if a[-1] == b[-2] else None


def inner_sizes(a, b):
    """Returns the two sizes that must be equal."""
    shape = product_shape(a, b)
    return shape and (*shape[:-2], a[-1], b[-2])


def transposed(a, b):
    """Exchanges rows and columns of the product."""
    shape = product_shape(a, b)
    return shape and (*shape[:-2], shape[-1], shape[-2])


def last_sizes_equal(a, b):
    """Compares the columns of both."""
    return product_shape(a, (*b[:-2], b[-1], b[-2])) and (*b[:-2], a[-2], b[-1])


def elementwise(a, b):
    """Applies the rule of broadcasting to all sizes, as for `*`."""
    try:
        return torch.broadcast_shapes(a, b)
    except RuntimeError:
        return None


def inner_broadcast(a, b):
    """Lets an inner size of 1 stretch."""
    inner = max(a[-1], b[-2])
    stretched = [
        (*a[:-1], inner) if a[-1] == 1 else a,
        (*b[:-2], inner, b[-1]) if b[-2] == 1 else b,
    ]
    return product_shape(*stretched)


def batches_equal(a, b):
    """Demands equal batches, or none."""
    if a[:-2] and b[:-2] and a[:-2] != b[:-2]:
        return None
    return product_shape(a, b)


def batches_of_one_length(a, b):
    """Lets sizes of 1 stretch, but demands as many axes in both."""
    return product_shape(a, b) if len(a) == len(b) else None


def aligned_left(a, b):
    """Fills the shorter batch with ones on its right."""
    length = max(len(a), len(b))
    a, b = ((*s[:-2], *[1] * (length - len(s)), *s[-2:]) for s in (a, b))
    return product_shape(a, b)


def batch_not_compared(a, b):
    """Takes the longer batch without looking whether the other fits."""
    batch = a[:-2] if len(a) >= len(b) else b[:-2]
    return (*batch, a[-2], b[-1]) if a[-1] == b[-2] else None


RIGHT = [
    *[("01.1", mean_by_loops), ("01.1", mean_by_indices)],
    *[("01.2", find_index), ("01.2", find_by_nonzero)],
    *[("01.3", crossover), ("01.3", crossover_with_tensors)],
    *[("01.4", standardize), ("01.4", standardize_from_squares)],
    *[("01.5", product_shape), ("01.5", product_shape_by_broadcast)],
]
WRONG = [
    ("01.1", asks_for_the_mean, "['mean'] is called"),
    ("01.1", adds_with_sum, "['sum'] is called"),
    ("01.1", overflows, "ran over"),
    ("01.1", whole_division, "fraction of the mean is lost"),
    ("01.1", never_divides, "the sum of all numbers"),
    ("01.1", divides_by_len, "how many numbers were added?"),
    ("01.1", divides_by_sizes_added, "how many numbers were added?"),
    ("01.1", resets_total, "last sheet only"),
    ("01.1", starts_at_one, "at index 0 of an axis are left out"),
    ("01.1", stops_short, "at the end of an axis are left out"),
    ("01.2", last_place, "in reading order also earlier"),
    ("01.2", columns_first, "in reading order also earlier"),
    ("01.2", axes_reversed, "another order than in the shape"),
    ("01.2", counts_from_one, "counts from 1"),
    ("01.2", flat_position, "one for each of the three axes"),
    ("01.2", place_as_tensor, "picks whole sheets"),
    ("01.2", all_places, "a tuple of three integers"),
    ("01.2", first_sheet_only, "but the value is there"),
    ("01.2", zeros_if_absent, "instead of None"),
    ("01.3", upside_down, "upside down"),
    ("01.3", seconds_saved, "this is a difference"),
    ("01.3", first_faster, "does not stay so"),
    ("01.3", ties_count, "which is not faster"),
    ("01.3", position, "return a size"),
    ("01.3", last_slow, "the CPU is faster"),
    ("01.3", largest, "not the smallest"),
    ("01.3", only_size, "must return two things"),
    ("01.4", other_axis, "the other axis is standardized"),
    ("01.4", always_columns, "the other axis is standardized"),
    ("01.4", one_less, "divided by N - 1"),
    ("01.4", axis_lost, "line up with the other axis"),
    ("01.4", axis_added_for_columns, "line up with the other axis"),
    ("01.4", whole_table, "of the whole table"),
    ("01.4", by_variance, "the variance"),
    ("01.4", centers_only, "the spread is not divided by"),
    ("01.4", scales_only, "the means are not subtracted"),
    ("01.4", constant_to_nan, "0 divided by 0"),
    ("01.4", constant_kept, "are not the right ones"),
    ("01.4", in_place, "was changed"),
    ("01.4", in_a_loop, "is it a loop?"),
    ("01.4", in_double, "dtype has become torch.float64"),
    ("01.5", asks_for_the_product, "asked for the product"),
    ("01.5", matrices_only, "the batch is not the right one"),
    ("01.5", inner_sizes, "not the product's"),
    ("01.5", transposed, "not the product's"),
    ("01.5", last_sizes_equal, "None is returned, but these can be multiplied"),
    ("01.5", elementwise, "None is returned, but these can be multiplied"),
    ("01.5", inner_broadcast, "stretched outside the batch"),
    ("01.5", batches_equal, "batches of equal length fit"),
    ("01.5", batches_of_one_length, "batches of unequal length fit"),
    ("01.5", aligned_left, "batch"),
    ("01.5", batch_not_compared, "the batches do not fit"),
]
KINDS = [None, "1.0", [1.0], True, float("nan"), torch.zeros(7)]
