"""Checks of the exercises of lesson 09, the digits and how far to trust their reader."""

import torch
import torch.nn.functional as F

from course_utils.checks import close, exercise, require, require_number


def _unlike(found, right, case, mistakes):
    """Require that a number is right; else name the first mistake that would give it."""
    if close(found, right, 1e-4, 1e-5):
        return
    for words, wrong in mistakes:
        require(not close(found, wrong, 1e-4, 1e-5), f"{case}: {words}")
    require(False, f"{case}: it gives {found:.4g}, which is wrong")


@exercise(
    "09.1",
    "Right within the first k",
    "For one image: which are the k places with the largest logits? `logits.topk(k, dim=1)` knows, "
    "for all images at once.",
    "`topk` returns values and indices. The indices have shape (N, k), the targets (N,). What "
    "shape must the targets have, so that each meets the k places of its own row?",
    "Each row has at most one hit. `any(dim=1)` says whether there is one; how do N booleans "
    "become a fraction?",
)
def check_top_k(top_k_accuracy, generator):
    # N = k comes first: there targets of shape (N,) line up with the wrong axis, and nothing raises
    sizes = ((6, 8, 6), (6, 8, 6), (40, 10, 3), (40, 10, 1), (25, 5, 2), (30, 7, 7), (50, 12, 5))
    for num_samples, num_classes, k in sizes:
        logits = torch.randn(num_samples, num_classes, generator=generator)
        targets = torch.randint(num_classes, (num_samples,), generator=generator)
        logits[range(num_samples), targets] += 0.7
        before = logits.clone()
        result = top_k_accuracy(targets, logits, k)
        require(torch.equal(logits, before), "the logits themselves were changed")
        case = f"{num_samples} images, {num_classes} classes, k = {k}"
        found = require_number(result, f"the result ({case})")
        _unlike(found, _top_k(targets, logits, k), case, _wrong_top_k(targets, logits, k))


def _top_k(targets, logits, k):
    rank = (logits > logits.gather(1, targets[:, None])).sum(dim=1)  # how many are ahead
    return (rank < k).double().mean().item()


def _wrong_top_k(targets, logits, k):
    right, num_samples = _top_k(targets, logits, k), len(targets)
    yield "that is a count; divide by the number of images", right * num_samples
    yield "that is in percent; a fraction is asked for", 100 * right
    yield "`k` makes no difference: only the first place counts", _top_k(targets, logits, 1)
    yield "the right class is looked for among the k *lowest* logits", _top_k(targets, -logits, k)
    yield "each image has k places but only one target: divide by N, not by N·k", right / k
    yield "one place too few is looked at", _top_k(targets, logits, k - 1)
    yield "one place too many is looked at", _top_k(targets, logits, k + 1)
    yield "that is the fraction *not* among the first k", 1 - right
    if num_samples == k:
        crossed = (logits.topk(k, dim=1).indices == targets).any(dim=1).double().mean().item()
        yield "an image's places meet the other images' targets: print the shapes", crossed


@exercise(
    "09.2",
    "Macro F1 by hand",
    "For one class c at a time: hits are answers c that are right. False alarms are answers c that "
    "are wrong. Misses are true c that got another answer.",
    "F1 of a class is 2·hits / (2·hits + false alarms + misses). Can the denominator be 0? What "
    "did the task say of such a class?",
    "Ten classes give ten numbers. Every class counts alike, however many images it has.",
)
def check_macro_f1(macro_f1, generator):
    for num_classes, num_samples, case in (
        (3, 40, "3 classes"),
        (10, 300, "10 classes"),
        (5, 60, "5 classes, one of which is never predicted"),
        (6, 60, "6 classes, one of which is neither true nor predicted"),
        (2, 30, "2 classes"),
    ):
        weights = torch.arange(1.0, num_classes + 1)  # later classes are more common
        if "neither" in case:
            weights[1] = 0
        targets = torch.multinomial(weights, num_samples, replacement=True, generator=generator)
        others = torch.multinomial(weights, num_samples, replacement=True, generator=generator)
        keep = torch.rand(num_samples, generator=generator) < 0.6
        predictions = torch.where(keep, targets, others)
        if "never predicted" in case:
            predictions[predictions == 2] = 0
        result = macro_f1(targets.clone(), predictions.clone(), num_classes)
        if isinstance(result, torch.Tensor) and result.numel() == num_classes:
            require(False, f"{case}: one number a class; their mean is asked for")
        value = (
            result.item() if isinstance(result, torch.Tensor) and result.numel() == 1 else result
        )
        if isinstance(value, float) and value != value and "class" in case:
            require("," not in case, f"{case}: NaN; what is the F1 of that class?")
        found = require_number(result, f"the result ({case})")
        hits, said, true = _per_class(targets, predictions, num_classes)
        right = _divide(2 * hits, said + true)
        _unlike(found, right.mean().item(), case, _wrong_macro_f1(hits, said, true))


def _per_class(targets, predictions, num_classes):
    classes = torch.arange(num_classes)[:, None]
    true, said = targets == classes, predictions == classes  # (C, N)
    return [part.sum(dim=1).double() for part in (true & said, said, true)]


def _divide(over, under):
    """The quotient, and 0 where it would be 0 / 0."""
    return over / under.clamp(min=1)


def _wrong_macro_f1(hits, said, true):
    """Yield (what the check says, the value of that mistake)."""
    f1, precision, recall = (
        _divide(2 * hits, said + true),
        _divide(hits, said),
        _divide(hits, true),
    )
    yield "that is the accuracy; F1 must be made for each class first", hits.sum() / true.sum()
    yield (
        "classes are weighted by their size; in a macro mean all count alike",
        ((f1 * true).sum() / true.sum()),
    )
    yield "only precision: the misses do not count", precision.mean()
    yield "only recall: the false alarms do not count", recall.mean()
    p, r = precision.mean(), recall.mean()
    yield (
        "F1 of the mean precision and recall; the mean of the F1s is asked for",
        2 * p * r / (p + r),
    )
    yield "the hits count twice, above *and* below", _divide(hits, said + true - hits).mean()
    yield "the hits count twice, above *and* below", _divide(hits, said + true).mean()
    yield "that is the sum; divide by the number of classes", f1.sum()
    yield "that is in percent; a fraction is asked for", 100 * f1.mean()
    yield (
        "a class without images is left out; the task wants it counted with 0",
        f1[true > 0].mean(),
    )
    yield "a class that is never predicted is left out; it counts too, with 0", f1[said > 0].mean()
    yield (
        "a class that does not occur counts with 1; the task wants 0",
        (torch.where(said + true == 0, 1.0, f1).mean()),
    )


@exercise(
    "09.3",
    "Calibration in equal shares",
    "`confidences.sort()` returns the sorted values and the order that sorts them. What must "
    "happen to `is_right`, so that each answer keeps its own?",
    "`torch.tensor_split(values, num_bins)` cuts a tensor into nearly equal parts, the longer ones "
    "first. Do it for both tensors, and walk through the pairs with `zip`.",
    "Within a bin: |accuracy - mean confidence|, means first, then the difference, then its size.",
    "Bins may differ by one answer. What is the weight of a bin of n answers of N?",
)
def check_equal_count_error(equal_count_error, generator):
    # 7 = 3 + 2 + 2: bins of unequal size, where a mean without weights shows
    sizes = ((7, 3), (7, 3), (10, 4), (100, 10), (23, 5), (200, 7), (12, 1))
    for num_answers, num_bins in sizes:
        confidences = torch.rand(num_answers, generator=generator)
        sharper = confidences ** (1 + 2 * torch.rand(1, generator=generator))
        is_right = torch.rand(num_answers, generator=generator) < sharper
        before = confidences.clone(), is_right.clone()
        result = equal_count_error(confidences, is_right, num_bins)
        kept = torch.equal(confidences, before[0]) and torch.equal(is_right, before[1])
        require(kept, "`confidences` or `is_right` was changed itself: make new tensors")
        case = f"{num_answers} answers in {num_bins} bins"
        found = require_number(result, f"the result ({case})")
        confidences, hits = confidences.double(), is_right.double()
        order = confidences.argsort()
        gaps, weights = _gaps(confidences[order], hits[order], num_bins)
        mistakes = _wrong_errors(confidences, hits, num_bins)
        _unlike(found, (gaps.abs() * weights).sum().item(), case, mistakes)


def _gaps(confidences, hits, num_bins):
    """Accuracy minus confidence of each bin, and its share of the answers."""
    bins = list(zip(confidences.tensor_split(num_bins), hits.tensor_split(num_bins), strict=True))
    gaps = torch.stack([h.mean() - c.mean() for c, h in bins])
    return gaps, torch.tensor([len(c) / len(hits) for c, _ in bins], dtype=torch.float64)


def _wrong_errors(confidences, hits, num_bins):
    """Yield (what the check says, the value of that mistake)."""
    order = confidences.argsort()
    gaps, weights = _gaps(confidences[order], hits[order], num_bins)
    right = (gaps.abs() * weights).sum()
    places = (confidences * num_bins).long().clamp(max=num_bins - 1)
    wide = sum(
        (places == b).sum()
        / len(hits)
        * (hits[places == b].mean() - confidences[places == b].mean()).abs()
        for b in places.unique()
    )
    loose, loose_weights = _gaps(confidences, hits, num_bins)
    torn, torn_weights = _gaps(confidences[order], hits, num_bins)
    back, back_weights = _gaps(confidences[order.flip(0)], hits[order.flip(0)], num_bins)
    yield "the bins are equally wide; they are to hold equally many answers", wide
    yield "the answers are not sorted", (loose.abs() * loose_weights).sum()
    torn_words = "`confidences` is sorted and `is_right` is not: they no longer belong together"
    yield torn_words, (torn.abs() * torn_weights).sum()
    yield "gaps up and down cancel: where is the absolute value?", (gaps * weights).sum()
    yield "gaps up and down cancel: where is the absolute value?", (gaps * weights).sum().abs()
    yield "gaps up and down cancel: where is the absolute value?", -(gaps * weights).sum()
    yield "each bin counts alike; weight it by its answers", gaps.abs().mean()
    yield "the sum over the bins, without weights", gaps.abs().sum()
    single = (hits - confidences).abs().mean()
    yield "the difference is taken for single answers; take each bin's means first", single
    yield "that is the worst bin; the weighted mean is asked for", gaps.abs().max()
    yield "the gaps are squared; their absolute value is asked for", (gaps**2 * weights).sum()
    yield "that is in percent; a fraction is asked for", 100 * right
    back_words = "sorted from the surest: the longer bins are to hold the least sure"
    yield back_words, (back.abs() * back_weights).sum()


@exercise(
    "09.4",
    "One temperature for all",
    "Write the loss for a given temperature first: `F.cross_entropy(logits / T, targets)`. Print "
    "it for T = 0.5, 1 and 2. On which side does it fall?",
    "It has one valley. You can try many values and keep the best, finer around it in a second "
    "round, or descend: `torch.optim` with one parameter.",
    "If you descend, descend in log T: T = exp(log T) is then positive whatever happens, and 0.5 "
    "is as far from 1 as 2 is.",
    "If you descend, look at where it ends: after how many steps does T stop moving?",
)
def check_temperature(best_temperature, generator):
    for num_samples, num_classes, true in (
        *((800, 10, 3.0), (800, 4, 0.4), (1500, 10, 1.6)),
        *((600, 3, 7.0), (500, 2, 0.7)),
    ):
        honest = 2 * torch.randn(num_samples, num_classes, generator=generator)
        targets = torch.multinomial(honest.softmax(dim=1), 1, generator=generator)[:, 0]
        logits = true * honest
        before = logits.clone()
        result = best_temperature(logits, targets)
        require(torch.equal(logits, before), "the logits themselves were changed")
        case = f"{num_samples} images, {num_classes} classes"
        found = require_number(result, f"the temperature ({case})")
        require(found > 0, f"{case}: T = {found:.4g}, but a temperature is positive")
        z = logits.double()
        best = _coldest(z, targets)
        if close(found, best, 0.02, 0):
            continue
        case = f"{case}: T = {found:.3g}"
        require(not close(found, 1 / best, 0.03, 0), f"{case} is 1 / T: divide the logits by it")
        require(not close(found, 1, 1e-6, 0), f"{case} changes nothing")
        twice = _coldest(z, targets, softmax=True)
        require(not close(found, twice, 0.05, 0), f"{case}: a softmax comes before the loss")
        here, lowest = (F.cross_entropy(z / t, targets).item() for t in (found, best))
        worse = f"{case} has the loss {here:.4f}; there is a T with {lowest:.4f}"
        high = found > best
        if max(found / best, best / found) > 1.2:
            require(False, f"{worse}, a good deal {'lower' if high else 'higher'}")
        require(False, f"{worse}: nearly there; search finer, or descend longer")


def _coldest(logits, targets, softmax=False):
    """The temperature of the lowest loss, by ever finer grids in log T."""

    def loss(log_t):
        scaled = logits / log_t.exp()
        return F.cross_entropy(scaled.softmax(dim=1) if softmax else scaled, targets)

    center, reach = torch.tensor(0.0, dtype=torch.float64), 3.0  # T from 0.05 to 20
    for _ in range(8):
        grid = center + torch.linspace(-reach, reach, 13, dtype=torch.float64)
        grid = grid.clamp(-3.0, 3.0)
        center = grid[torch.stack([loss(value) for value in grid]).argmin()]
        reach /= 4
    return center.exp().item()
