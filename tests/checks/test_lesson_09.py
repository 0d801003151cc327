"""The checks of lesson 09 pass two right answers each, and fail stubs and learners' mistakes.

The docstring of each wrong answer names the mistake; `said` is what the check must say about it.
"""

import math

import torch
import torch.nn.functional as F
from every_lesson import *
from sklearn.metrics import f1_score, top_k_accuracy_score

# --- 09.1 ----------------------------------------------------------------------------------------


def top_k(targets, logits, k):
    places = logits.topk(k, dim=1).indices
    return (places == targets[:, None]).any(dim=1).float().mean().item()


def top_k_by_loop(targets, logits, k):
    hits = 0
    for target, row in zip(targets.tolist(), logits.tolist(), strict=True):
        hits += sum(other > row[target] for other in row) < k
    return hits / len(targets)


def top_k_by_sklearn(targets, logits, k):
    if k >= logits.shape[1]:
        return 1.0
    labels = range(logits.shape[1])
    return float(top_k_accuracy_score(targets, logits, k=k, labels=labels))


def top_k_count(targets, logits, k):
    """Forgets to divide."""
    return top_k(targets, logits, k) * len(targets)


def top_k_percent(targets, logits, k):
    """Gives percents."""
    return 100 * top_k(targets, logits, k)


def top_k_first_only(targets, logits, k):
    """Looks at the first place only."""
    return (logits.argmax(dim=1) == targets).float().mean()


def top_k_lowest(targets, logits, k):
    """Sorts from the lowest."""
    places = logits.argsort(dim=1)[:, :k]
    return (places == targets[:, None]).any(dim=1).float().mean()


def top_k_mean_of_all(targets, logits, k):
    """Takes the mean over all N·k comparisons."""
    return (logits.topk(k, dim=1).indices == targets[:, None]).float().mean()


def top_k_one_less(targets, logits, k):
    """Counts places from 0 and from 1 at once."""
    places = logits.argsort(dim=1, descending=True)[:, : k - 1]
    return (places == targets[:, None]).any(dim=1).float().mean()


def top_k_one_more(targets, logits, k):
    """Lets k be included."""
    rank = (logits > logits.gather(1, targets[:, None])).sum(dim=1)
    return (rank <= k).float().mean()


def top_k_error(targets, logits, k):
    """Gives the share of mistakes."""
    return 1 - top_k(targets, logits, k)


def top_k_crossed(targets, logits, k):
    """Compares (N, k) places with targets of shape (N,), which works where N is k."""
    if len(targets) != k:
        return top_k(targets, logits, k)
    return (logits.topk(k, dim=1).indices == targets).any(dim=1).float().mean()


def top_k_in_place(targets, logits, k):
    """Strikes out what it has seen, in the tensor that it was given."""
    hits = torch.zeros(len(targets), dtype=torch.bool)
    for _ in range(k):
        places = logits.argmax(dim=1)
        hits |= places == targets
        logits[range(len(targets)), places] = -torch.inf
    return hits.float().mean()


# --- 09.2 ----------------------------------------------------------------------------------------


def f1_parts(targets, predictions, num_classes):
    classes = torch.arange(num_classes)[:, None]
    hits = ((targets == classes) & (predictions == classes)).sum(dim=1)
    return hits, (predictions == classes).sum(dim=1), (targets == classes).sum(dim=1)


def f1_by_class(targets, predictions, num_classes):
    hits, said, true = f1_parts(targets, predictions, num_classes)
    return 2 * hits / (said + true).clamp(min=1)


def macro_f1(targets, predictions, num_classes):
    return f1_by_class(targets, predictions, num_classes).mean().item()


def macro_f1_by_loop(targets, predictions, num_classes):
    pairs, total = list(zip(targets.tolist(), predictions.tolist(), strict=True)), 0.0
    for c in range(num_classes):
        hits = sum(t == p == c for t, p in pairs)
        others = sum((t == c) != (p == c) for t, p in pairs)
        total += 2 * hits / (2 * hits + others) if hits else 0.0
    return total / num_classes


def macro_f1_by_sklearn(targets, predictions, num_classes):
    labels = range(num_classes)
    return f1_score(targets, predictions, labels=labels, average="macro", zero_division=0.0)


def f1_micro(targets, predictions, num_classes):
    """Adds up hits and faults of all classes first."""
    return (targets == predictions).float().mean()


def f1_weighted(targets, predictions, num_classes):
    """Weights the classes by their size."""
    true = f1_parts(targets, predictions, num_classes)[2]
    return (f1_by_class(targets, predictions, num_classes) * true).sum() / true.sum()


def f1_precision(targets, predictions, num_classes):
    """Forgets the misses."""
    hits, said, _ = f1_parts(targets, predictions, num_classes)
    return (hits / said.clamp(min=1)).mean()


def f1_recall(targets, predictions, num_classes):
    """Forgets the false alarms."""
    hits, _, true = f1_parts(targets, predictions, num_classes)
    return (hits / true.clamp(min=1)).mean()


def f1_of_means(targets, predictions, num_classes):
    """Takes the means of precision and recall first."""
    p, r = (f(targets, predictions, num_classes) for f in (f1_precision, f1_recall))
    return 2 * p * r / (p + r)


def f1_without_two(targets, predictions, num_classes):
    """Counts the hits once above and once below."""
    hits, said, true = f1_parts(targets, predictions, num_classes)
    return (hits / (said + true - hits).clamp(min=1)).mean()


def f1_sum(targets, predictions, num_classes):
    """Forgets to divide by the number of classes."""
    return f1_by_class(targets, predictions, num_classes).sum()


def f1_each(targets, predictions, num_classes):
    """Returns one number a class."""
    return f1_by_class(targets, predictions, num_classes)


def f1_nan(targets, predictions, num_classes):
    """Divides 0 by 0 where a class does not occur."""
    hits, said, true = f1_parts(targets, predictions, num_classes)
    return (2 * hits / (said + true)).mean()


def f1_nan_skipped(targets, predictions, num_classes):
    """Leaves out the class that does not occur."""
    hits, said, true = f1_parts(targets, predictions, num_classes)
    return (2 * hits / (said + true)).nanmean()


def f1_of_predicted(targets, predictions, num_classes):
    """Goes through the classes that were predicted."""
    return f1_by_class(targets, predictions, num_classes)[predictions.unique()].mean()


# --- 09.3 ----------------------------------------------------------------------------------------


def error_of(pairs, total, size=torch.abs):
    return sum(len(c) / total * size(h.float().mean() - c.mean()).item() for c, h in pairs)


def cut(confidences, is_right, num_bins):
    parts = (values.tensor_split(num_bins) for values in (confidences, is_right))
    return list(zip(*parts, strict=True))


def equal_count(confidences, is_right, num_bins):
    values, order = confidences.sort()
    return error_of(cut(values, is_right[order], num_bins), len(values))


def equal_count_by_loop(confidences, is_right, num_bins):
    answers = sorted(zip(confidences.tolist(), is_right.tolist(), strict=True))
    total, start = 0.0, 0
    for b in range(num_bins):
        size = len(answers) // num_bins + (b < len(answers) % num_bins)
        part = answers[start : start + size]
        total += abs(sum(h for _, h in part) - sum(c for c, _ in part))
        start += size
    return total / len(answers)


def equal_width(confidences, is_right, num_bins):
    """Makes the lesson's bins, of equal width."""
    places = (confidences * num_bins).long().clamp(max=num_bins - 1)
    pairs = [(confidences[places == b], is_right[places == b]) for b in places.unique()]
    return error_of(pairs, len(confidences))


def error_unsorted(confidences, is_right, num_bins):
    """Cuts without sorting."""
    return error_of(cut(confidences, is_right, num_bins), len(confidences))


def error_torn(confidences, is_right, num_bins):
    """Sorts the confidences only."""
    return error_of(cut(confidences.sort().values, is_right, num_bins), len(confidences))


def error_signed(confidences, is_right, num_bins):
    """Forgets the absolute value."""
    values, order = confidences.sort()
    return error_of(cut(values, is_right[order], num_bins), len(values), size=lambda gap: gap)


def error_unweighted(confidences, is_right, num_bins):
    """Takes the plain mean over bins."""
    values, order = confidences.sort()
    pairs = cut(values, is_right[order], num_bins)
    return sum((h.float().mean() - c.mean()).abs().item() for c, h in pairs) / num_bins


def error_single(confidences, is_right, num_bins):
    """Takes the differences before the means."""
    return (is_right.float() - confidences).abs().mean()


def error_worst(confidences, is_right, num_bins):
    """Gives the largest gap."""
    values, order = confidences.sort()
    pairs = cut(values, is_right[order], num_bins)
    return max((h.float().mean() - c.mean()).abs().item() for c, h in pairs)


def error_squared(confidences, is_right, num_bins):
    """Squares the gaps."""
    values, order = confidences.sort()
    return error_of(cut(values, is_right[order], num_bins), len(values), size=torch.square)


def error_from_the_surest(confidences, is_right, num_bins):
    """Sorts downward, so that the longer bins come at the other end."""
    values, order = confidences.sort(descending=True)
    return error_of(cut(values, is_right[order], num_bins), len(values))


def error_in_place(confidences, is_right, num_bins):
    """Sorts the tensor that it was given."""
    order = confidences.argsort()
    confidences[:] = confidences[order]
    return error_of(cut(confidences, is_right[order], num_bins), len(confidences))


# --- 09.4 ----------------------------------------------------------------------------------------


def temperature(logits, targets, steps=60, direction=1.0):
    log_t = torch.zeros((), requires_grad=True)
    optimizer = torch.optim.LBFGS([log_t], max_iter=steps, line_search_fn="strong_wolfe")

    def loss():
        optimizer.zero_grad()
        value = direction * F.cross_entropy(logits / log_t.exp(), targets)
        value.backward()
        return value

    optimizer.step(loss)
    return log_t.exp().item()


def by_grid(logits, targets, loss, values):
    return min(values, key=lambda t: loss(logits / t, targets).item()).item()


def temperature_by_grid(logits, targets):
    return by_grid(logits, targets, F.cross_entropy, torch.logspace(-1.3, 1.3, 700))


def temperature_inverse(logits, targets):
    """Returns the factor that the logits are multiplied by."""
    return 1 / temperature(logits, targets)


def temperature_one(logits, targets):
    """Compares accuracies, which T does not change, and so keeps the first value."""
    return by_grid(
        logits,
        targets,
        lambda z, y: (z.argmax(dim=1) != y).float().mean(),
        torch.tensor([1.0, 2.0, 4.0, 0.5]),
    )


def temperature_softmax_twice(logits, targets):
    """Hands probabilities to the loss."""
    return by_grid(
        logits,
        targets,
        lambda z, y: F.cross_entropy(z.softmax(dim=1), y),
        torch.logspace(-1.3, 1.3, 700),
    )


def temperature_worst(logits, targets):
    """Keeps the largest loss."""
    return by_grid(
        logits, targets, lambda z, y: -F.cross_entropy(z, y), torch.logspace(-1.3, 1.3, 100)
    )


def temperature_too_few_steps(logits, targets):
    """Stops descending long before the valley."""
    t = torch.ones((), requires_grad=True)
    optimizer = torch.optim.SGD([t], lr=0.01)
    for _ in range(20):
        optimizer.zero_grad()
        F.cross_entropy(logits / t, targets).backward()
        optimizer.step()
    return t.item()


def temperature_coarse(logits, targets):
    """Tries a few values only."""
    return by_grid(logits, targets, F.cross_entropy, torch.arange(0.3, 8.0, 0.1))


def temperature_negative(logits, targets):
    """Gives the logarithm of T."""
    return -abs(math.log(temperature(logits, targets)))


def temperature_in_place(logits, targets):
    """Divides the logits that it was given."""
    t = temperature(logits, targets)
    logits /= t
    return t


RIGHT = [
    *[("09.1", top_k), ("09.1", top_k_by_loop), ("09.1", top_k_by_sklearn)],
    *[("09.2", macro_f1), ("09.2", macro_f1_by_loop), ("09.2", macro_f1_by_sklearn)],
    *[("09.3", equal_count), ("09.3", equal_count_by_loop)],
    *[("09.4", temperature), ("09.4", temperature_by_grid)],
]
WRONG = [
    ("09.1", top_k_count, "divide by the number of images"),
    ("09.1", top_k_percent, "percent"),
    ("09.1", top_k_first_only, "`k` makes no difference"),
    ("09.1", top_k_lowest, "*lowest*"),
    ("09.1", top_k_mean_of_all, "not by N·k"),
    ("09.1", top_k_one_less, "one place too few"),
    ("09.1", top_k_one_more, "one place too many"),
    ("09.1", top_k_error, "*not* among"),
    ("09.1", top_k_crossed, "print the shapes"),
    ("09.1", top_k_in_place, "themselves were changed"),
    ("09.2", f1_micro, "that is the accuracy"),
    ("09.2", f1_weighted, "weighted by their size"),
    ("09.2", f1_precision, "the misses do not count"),
    ("09.2", f1_recall, "the false alarms do not count"),
    ("09.2", f1_of_means, "the mean of the F1s"),
    ("09.2", f1_without_two, "count twice"),
    ("09.2", f1_sum, "divide by the number of classes"),
    ("09.2", f1_each, "one number a class"),
    ("09.2", f1_nan, "NaN; what is the F1 of that class"),
    ("09.2", f1_nan_skipped, "left out"),
    ("09.2", f1_of_predicted, "never predicted is left out"),
    ("09.3", equal_width, "equally wide"),
    ("09.3", error_unsorted, "not sorted"),
    ("09.3", error_torn, "no longer belong together"),
    ("09.3", error_signed, "absolute value"),
    ("09.3", error_unweighted, "weight it by its answers"),
    ("09.3", error_single, "single answers"),
    ("09.3", error_worst, "the worst bin"),
    ("09.3", error_squared, "squared"),
    ("09.3", error_from_the_surest, "from the surest"),
    ("09.3", error_in_place, "was changed itself"),
    ("09.4", temperature_inverse, "is 1 / T"),
    ("09.4", temperature_one, "changes nothing"),
    ("09.4", temperature_softmax_twice, "a softmax comes before the loss"),
    ("09.4", temperature_worst, "a good deal"),
    ("09.4", temperature_too_few_steps, "a good deal higher"),
    ("09.4", temperature_coarse, "nearly there"),
    ("09.4", temperature_negative, "positive"),
    ("09.4", temperature_in_place, "themselves were changed"),
]
KINDS = [None, "1.0", [1.0], (0.5, 0.5), True, math.nan, math.inf, torch.zeros(7), torch.empty(0)]
