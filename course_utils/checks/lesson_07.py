"""Checks of the exercises of lesson 07, the cat classifier."""

import copy
import math
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import nn

from course_utils.checks import (
    Mistake,
    close,
    exercise,
    require,
    require_functions,
    require_number,
    require_tensor,
    with_calls,
)

READY_MADE = {  # what has the trick of 07.1 inside
    *("binary_cross_entropy", "binary_cross_entropy_with_logits", "cross_entropy", "log_sigmoid"),
    *("softplus", "logaddexp", "logsumexp", "log_softmax", "soft_margin_loss"),
}


@exercise(
    "07.1",
    "Cross-entropy that survives large logits",
    "On paper first: put the sigmoid 1 / (1 + e⁻ᶻ) into both logarithms and simplify. All that is "
    "left is log(1 + eᶻ) and a term with z and y.",
    "log(1 + eᶻ) is log(e⁰ + eᶻ), the logarithm of a sum of exponentials. In exercise 05.1 such a "
    "sum was saved by subtracting the larger exponent. What must be added again outside?",
    "Try z = 1000 and z = -1000 with y = 0 and y = 1, one at a time. Which of the exponentials is "
    "infinite? It must not be computed at all, not even where it is thrown away.",
    "If the gradient is wrong at z = 0 alone: some functions have a kink there, such as |z| and "
    "relu, and autograd takes one side of it. Write the formula so that both sides meet.",
)
def check_bce(bce_from_logits, generator):
    for shape, soft in (((8, 1), False), ((6,), False), ((4, 3), False), ((7, 1), True)):
        logits = 3 * torch.randn(shape, generator=generator)
        targets = torch.rand(shape, generator=generator)
        targets = targets.round(decimals=1) if soft else (targets < 0.4).float()
        targets.view(-1)[:2] = torch.tensor([0.0, 1.0])
        case = f"shape {shape}" + (", targets between 0 and 1" if soft else "")
        value, slope = _bce(bce_from_logits, logits, targets, case)
        right, right_slope = _bce_oracle(logits, targets)
        if not close(value, right, 1e-4, 2e-6):
            for words, wrong in _wrong_bces(logits.double(), targets.double()):
                require(not close(value, wrong, 1e-4, 2e-6), f"{case}: {words}")
            require(False, f"{case}: {value:.4f} is not what PyTorch's own loss gives")
        _require_slope(slope, right_slope, case, " somewhere")

    for z in (20.0, -20.0, 100.0, -100.0, 1000.0, -1000.0, 0.0):
        for y in (0.0, 1.0, 0.25):
            _check_one_logit(bce_from_logits, z, y)
    logits = torch.tensor([[-1000.0, 1000.0, 0.5], [0.0, -0.5, 60.0]])
    targets = torch.tensor([[1.0, 0.0, 1.0], [1.0, 0.0, 0.0]])
    found = _bce(bce_from_logits, logits, targets, "large and small logits together")
    alike = all(map(close, found, _bce_oracle(logits, targets)))
    require(alike, "large and small logits together: right one by one, but not in one tensor")
    for shapes in (((4, 1), (4,)), ((4,), (4, 1)), ((3, 2), (2,))):
        case = "logits {} and targets {}".format(*shapes)
        result = _refused(lambda s=shapes: bce_from_logits(*map(torch.ones, s)), case)
        require(result is None, f"{case} give a loss: broadcasting pairs each with every other")


def _bce(bce_from_logits, logits, targets, case):
    """The loss as a number, and its gradient by autograd."""
    given, kept = logits.clone().requires_grad_(), targets.clone()
    result, names = with_calls(bce_from_logits, given, kept)
    called = sorted(set(names) & READY_MADE)
    require(not called, f"PyTorch's {', '.join(called)} has inside what you are to write")
    same = torch.equal(given, logits) and torch.equal(kept, targets)
    require(same, "the logits or the targets themselves were changed: make new tensors")
    if isinstance(result, torch.Tensor) and result.numel() == 1:
        nan, infinite = bool(result.isnan()), bool(result.isinf())
        require(not nan, f"{case}: the loss is NaN: 0 · infinity, or infinity - infinity?")
        large = logits.abs().max() > 50
        why = "float32 ends at e⁸⁸, and the log of 0 is infinite" if large else "log of 0?"
        require(not infinite, f"{case}: the loss is infinite: {why}")
    value = require_number(result, f"the loss ({case})")
    attached = isinstance(result, torch.Tensor) and result.requires_grad
    require(attached, "`backward()` cannot reach the logits: return a tensor, without `.item()`")
    (slope,) = torch.autograd.grad(result.sum(), given)
    return value, slope.double()


def _require_slope(slope, right, case, mistake):
    told = f"{case}: the loss is right, but its gradient"
    why = "`torch.where` and masks compute what they throw away, too"
    require(slope.isfinite().all(), f"{told} is NaN or infinite: {why}")
    worst = slope.flatten()[(slope - right).abs().argmax()].item()
    require(close(slope, right, 1e-3, 1e-5), f"{told} is {worst:.4g}{mistake}")


def _bce_oracle(logits, targets):
    z, y = logits.double(), targets.double()
    return F.binary_cross_entropy_with_logits(z, y).item(), (z.sigmoid() - y) / z.numel()


def _check_one_logit(bce_from_logits, z, y):
    logits, targets = torch.tensor([[z]]), torch.tensor([[y]])
    case = f"z = {z:g}, y = {y:g}"
    value, slope = _bce(bce_from_logits, logits, targets, case)
    right, right_slope = _bce_oracle(logits, targets)
    if not close(value, right, 1e-4, 1e-4):
        rounded = "a sigmoid that has rounded to 0 or 1, or a limit or epsilon against it?"
        require(False, f"{case}: the loss is {value:.4g}: {rounded}")
    kink = ": is there a kink, as relu and |z| have at 0?"
    cut_off = ": what is cut off or detached has none, where it is needed most"
    _require_slope(slope, right_slope, case, cut_off if z else kink)


def _wrong_bces(z, y):
    """Yield (what the check says, the value of that mistake)."""
    each = F.binary_cross_entropy_with_logits(z, y, reduction="none")
    yield "that is the sum; the mean is asked for", each.sum()
    yield "the sign is wrong: a loss is never negative", -each.mean()
    exchanged = F.binary_cross_entropy_with_logits(z, 1 - y)
    yield "y and 1 - y, or z and -z, are exchanged", exchanged
    yield "only the term of the positive examples is there", -(y * F.logsigmoid(z)).mean()
    yield "only the term of the negative examples is there", ((1 - y) * F.softplus(z)).mean()
    yield "the term with y is missing", F.softplus(z).mean()
    twice = F.binary_cross_entropy_with_logits(z.sigmoid(), y)
    yield "the sigmoid is taken twice", twice
    for decided in (y > 0, y >= 0.5, y == 1):
        if not torch.equal(decided.double(), y):
            whole = F.binary_cross_entropy_with_logits(z, decided.double())
            yield "y counts as 0 or 1 only; it may lie between", whole


def _refused(call, case):
    """None if the call raises ValueError, as it should; else what it returned, in a tuple."""
    try:
        return (call(),)
    except ValueError:
        return None
    except (NotImplementedError, Mistake):
        raise
    except Exception as error:
        raise Mistake(f"{case}: it raises {type(error).__name__}, not ValueError") from None


# --- networks: 07.2 and 07.3 ---------------------------------------------------------------------


def _prepare(net, what, generator):
    """Make a net float64, give its linear layers weights that tell them apart; return them."""
    require(net is not None, f"{what} is None: is a `return` missing?")
    require(isinstance(net, nn.Module), f"{what} must be a module, not {type(net).__name__}")
    layers = [module for module in net.double().modules() if isinstance(module, nn.Linear)]
    require(layers, f"{what} knows of no linear layer: are they in a plain list?")
    for layer in layers:
        require(layer.bias is not None, f"{what}: a layer has no bias")
        for parameter in layer.parameters():
            drawn = torch.randn(parameter.shape, generator=generator, dtype=torch.float64)
            parameter.data = 0.7 * drawn
    return layers


def _outputs(net, images, case):
    """What the net makes of images (N, C, H, W); a mistake if it wants them flattened."""
    try:
        result = net(images)
    except RuntimeError as error:
        try:
            net(images.flatten(1))
        except RuntimeError:
            raise error from None
        flat = tuple(images.flatten(1).shape)
        told = f"it takes {flat}, but not images {tuple(images.shape)}"
        raise Mistake(f"{case}: {told}: they must be flattened first") from None
    return result, require_tensor(result, torch.empty(len(images), 1), f"{case}: the output")


def _require_outputs(found, right, wrong, case):
    if not close(found, right):
        for words, values in wrong:
            require(not close(found, values), f"{case}: {words}")
        require(False, f"{case}: its layers are right, but another output comes out")


class _OurOwn(nn.Module):
    """An activation that no net has by accident."""

    def forward(self, x):
        return torch.tanh(x) + 0.5 * x


@exercise(
    "07.2",
    "Other architectures",
    "Write down the sizes on the way, `[in_features, *hidden_sizes, 1]`. Each linear layer leads "
    "from one of them to the next: how many layers do n sizes give?",
    "Collect the layers in a list, beginning with `nn.Flatten()`, and hand them over with a star: "
    "`nn.Sequential(*layers)`.",
    "An activation follows every linear layer but one. Which, and why? The loss is "
    "`nn.BCEWithLogitsLoss`.",
    "`activation` is a class: `activation()` makes an instance. If it has something to learn, as "
    "nn.PReLU does, one instance for all layers is another network.",
    "A linear layer that leads from n numbers to m has n · m weights, and a bias for each output.",
)
def check_architectures(answer, generator):
    require_functions(answer, "build_net", "num_parameters")
    build_net, num_parameters = answer
    cases = [((3, 2, 2), [5], nn.ReLU), ((1, 2, 2), [4, 4, 4], nn.Tanh), ((2, 2, 2), [], nn.ReLU)]
    cases += [((3, 2, 1), [7, 3, 5], _OurOwn), ((1, 3, 3), [6, 2], nn.PReLU)]
    for shape, sizes, activation in cases:
        in_features, given = math.prod(shape), list(sizes)
        name = "our own activation" if activation is _OurOwn else activation.__name__
        case = f"hidden sizes {sizes}, {name}"
        net = build_net(in_features, given, activation)
        layers = _prepare(net, f"the net ({case})", generator)
        require(given == sizes, f"{case}: the list of hidden sizes itself was changed")
        _require_chain(layers, [*pairwise([in_features, *sizes, 1])], case)
        _require_own_slopes(net, layers, activation, len(sizes), case)
        again = build_net(in_features, list(sizes), activation)
        shared = {id(p) for p in net.parameters()} & {id(p) for p in again.parameters()}
        require(not shared, f"{case}: two nets share their weights: each call must make new layers")
        images = torch.randn((9, *shape), generator=generator, dtype=torch.float64)
        _, found = _outputs(net, images, case)
        right = _pass(layers, images, activation, range(1, len(layers)))
        _require_outputs(found, right, _wrong_passes(layers, images, activation), case)
    counted = [(math.prod(shape), sizes) for shape, sizes, _ in cases]
    for in_features, sizes in (*counted[::-1], (12_288, [512, 12_288, 512])):
        _require_count(num_parameters, in_features, sizes)


def _require_chain(layers, right, case):
    found = [(layer.in_features, layer.out_features) for layer in layers]
    told = f"{case}: its linear layers are {', '.join(f'{a} → {b}' for a, b in found)}"
    no_hidden = len(right) == 1 < len(found)
    require(not no_hidden, f"{told}: without hidden sizes, one layer is enough")
    require(found != right[:-1], f"{told}: the last one, to a single logit, is missing")
    from_input = [(right[0][0], outputs) for _, outputs in right]
    unchained = found != right and found == from_input
    require(not unchained, f"{told}: each must read what the one before gives")
    amount = "few" if len(found) < len(right) else "many"
    many = f"these are too {amount} for {len(right) - 1} hidden sizes"
    require(len(found) == len(right), f"{told}: {many}")
    require(found == right, f"{told}: in which order do the sizes come?")


def _require_own_slopes(net, layers, activation, num_hidden, case):
    """PReLU learns one number, its slope on the left: each hidden layer has its own."""
    own = {id(p) for layer in layers for p in layer.parameters()}
    others = [p for p in net.parameters() if id(p) not in own]
    if activation is nn.PReLU:
        shared = len(others) == 1 < num_hidden
        require(not shared, f"{case}: one PReLU for all layers; each is to learn its own slope")
        told = f"{case}: there are {len(others)} PReLUs"
        require(len(others) == num_hidden, f"{told}, where {num_hidden} layers need one each")
    else:
        require(not others, f"{case}: it has parameters besides those of its linear layers")


def _pass(layers, images, activation, places, end=None):
    """Pass images through linear layers, with an activation after those of the places 1, 2, …"""
    act, h = activation().double(), images.flatten(1)
    h = act(h) if 0 in places else h
    for place, layer in enumerate(layers, start=1):
        h = act(layer(h)) if place in places else layer(h)
    return (end(h) if end else h).detach()


def _wrong_passes(layers, images, activation):
    """Yield (what the check says, the outputs of that mistake)."""
    depth, right = len(layers), range(1, len(layers))
    for words, places, end in (
        ("an activation follows the last layer: not every logit can come out", [*right, depth], 0),
        ("it ends in a sigmoid, which BCEWithLogitsLoss has inside", right, torch.sigmoid),
        ("an activation stands before the first layer", range(depth), None),
        ("no activation between the layers: together they are one linear layer", (), None),
        ("the last hidden layer has no activation", range(1, depth - 1), None),
    ):
        yield words, _pass(layers, images, activation, places, end)
    for other in {nn.ReLU, nn.Tanh, nn.Sigmoid} - {activation}:
        fixed = f"its activation is {other.__name__}, whatever is asked for"
        yield fixed, _pass(layers, images, other, right)


def _require_count(num_parameters, in_features, hidden_sizes):
    given, case = list(hidden_sizes), f"{in_features} features, hidden sizes {hidden_sizes}"
    what = f"what `num_parameters` returns ({case})"
    found = require_number(num_parameters(in_features, given), what)
    require(given == hidden_sizes, f"{case}: `num_parameters` changes the list of hidden sizes")
    sizes = [in_features, *hidden_sizes, 1]
    weights = [a * b for a, b in pairwise(sizes)]
    right = sum(weights) + sum(sizes[1:])
    for wrong, words in (
        (sum(weights), "the biases are missing"),
        (right - sizes[-2] - 1, "those of the last layer, which gives the logit, are missing"),
        (sum(weights) + sum(sizes[:-1]), "a bias belongs to an output of a layer, not to an input"),
        (sum(weights) + len(weights), "a layer has a bias for each output, not one in all"),
        (sum(weights) + sum(hidden_sizes), "the last layer has a bias, too"),
        (sum(sizes), "these are units, not weights"),
    ):
        require(found != wrong or wrong == right, f"{case}: {found:,.0f} parameters: {words}")
    compare = "compare it with `count_parameters` of the net"
    require(found == right, f"{case}: {found:,.0f} parameters: {compare}")


@exercise(
    "07.3",
    "A list of layers, with shortcuts",
    "`nn.ModuleList` takes a list of modules, or a comprehension. Make a new `nn.Linear` in each "
    "round: `[layer] * 3` is one layer three times.",
    "Print `[name for name, _ in net.named_parameters()]`. Each layer must be there, with weight "
    "and bias. What is not, no optimizer will train.",
    "In `forward`, go through the list with `for`. What comes out of a round is what went in, plus "
    "the sigmoid of the layer's output.",
    "If `backward()` complains of an in-place operation: `h += …` overwrites numbers that the "
    "layer still needs for its gradient. `h = h + …` makes new ones.",
)
def check_shortcuts(shortcut_net, generator):
    for shape, hidden_size, num_layers in (((3, 2, 2), 5, 3), ((1, 3, 3), 4, 1), ((8, 1, 1), 3, 6)):
        sizes = math.prod(shape), hidden_size, num_layers
        case = "in_features {}, hidden_size {}, num_layers {}".format(*sizes)
        net = shortcut_net(*sizes)
        _prepare(net, f"the net ({case})", generator)
        parts = _parts(net, *sizes, case)
        images = torch.randn((9, *shape), generator=generator, dtype=torch.float64)
        result, found = _outputs(net, images, case)
        right = _shortcuts(*parts, images)
        _require_outputs(found, right, _wrong_shortcuts(*parts, images), case)
        require(
            result.requires_grad, f"{case}: `backward()` reaches nothing: detached, or no_grad?"
        )
        try:
            result.sum().backward()
        except RuntimeError as error:
            in_place = "inplace" in str(error)
            overwritten = "`+=` overwrites what it needs"
            require(not in_place, f"{case}: the output is right, but backward fails: {overwritten}")
            raise


def _parts(net, in_features, hidden_size, num_layers, case):
    lacking = [name for name in ("first", "hidden", "last") if not hasattr(net, name)]
    require(not lacking, f"{case}: the net has no `self.{min(lacking, default='')}`")
    kind = type(net.hidden).__name__
    unseen = f"{case}: `self.hidden` is a {kind}, into which the net does not look"
    require(isinstance(net.hidden, nn.Module), f"{unseen}: an optimizer gets nothing of it")
    require(hasattr(net.hidden, "__iter__"), f"{case}: `self.hidden` is one {kind}, not a list")
    hidden = list(net.hidden)
    repeated = len({id(layer) for layer in hidden}) < len(hidden)
    require(not repeated, f"{case}: one and the same layer stands in the list again and again")
    require(len(hidden) == num_layers, f"{case}: `self.hidden` has {len(hidden)} layers")
    expected = [(net.first, in_features, hidden_size), (net.last, hidden_size, 1)]
    for layer, *shape in (*expected, *((layer, hidden_size, hidden_size) for layer in hidden)):
        kind = type(layer).__name__
        require(isinstance(layer, nn.Linear), f"{case}: an nn.Linear is needed, not a {kind}")
        leads = f"a layer leads from {layer.in_features} numbers to {layer.out_features}"
        right = [layer.in_features, layer.out_features] == shape
        require(right, f"{case}: {leads}, where {shape[0]} to {shape[1]} is needed")
    count = sum(1 for module in net.modules() if isinstance(module, nn.Linear))
    require(count == num_layers + 2, f"{case}: there are {count} linear layers in all")
    return net.first, hidden, net.last


def _shortcuts(first, hidden, last, images, update=None, begin=torch.sigmoid, end=None):
    """The outputs, with another way to begin, to go on from h by a layer f, or to end."""
    h = start = begin(first(images.flatten(1)))
    for f in hidden:
        h = update(h, f, start) if update else h + torch.sigmoid(f(h))
    return (end(last(h)) if end else last(h)).detach()


def _wrong_shortcuts(first, hidden, last, images):
    """Yield (what the check says, the outputs of that mistake)."""
    parts, act = (first, hidden, last, images), torch.sigmoid
    from_first = "each round adds what `first` gave, not what went into the round"
    for words, update in (
        ("there is no shortcut: what went in is not added", lambda h, f, start: act(f(h))),
        (
            "the sigmoid is taken of the sum; the shortcut leads past it",
            lambda h, f, s: act(h + f(h)),
        ),
        ("there is no sigmoid in the rounds", lambda h, f, start: h + f(h)),
        (from_first, lambda h, f, start: start + act(f(h))),
        ("the layers read sigmoid(h), not h", lambda h, f, start: h + f(act(h))),
    ):
        yield words, _shortcuts(*parts, update)
    yield "the list is gone through backward", _shortcuts(first, hidden[::-1], last, images)
    yield "there is no sigmoid after `first`", _shortcuts(*parts, begin=lambda z: z)
    yield "it ends in a sigmoid; a logit is asked for", _shortcuts(*parts, end=act)


# --- 07.4 ----------------------------------------------------------------------------------------


@exercise(
    "07.4",
    "An optimizer of your own",
    "Two loops: over `self.param_groups`, and in each over `group['params']`. The numbers `lr`, "
    "`alpha` and `eps` are in the group, so that each group may have its own.",
    "`self.state[parameter]` is a dict for this parameter, empty at first. Which tensor belongs in "
    "it, of which shape, and with which values before the first step?",
    "In which order do the two formulas come? The average that divides a gradient has that "
    "gradient in it already. The square root is of the average alone.",
    "A parameter that took no part in the loss has `grad` None: nothing happens to it, nor to its "
    "average.",
    "`parameter -= …` changes the parameter itself, as `step` must. But a gradient is not yours to "
    "change: no in-place operation on it.",
)
def check_rmsprop(rmsprop, generator):
    def draw(*shape):
        return torch.randn(shape, generator=generator)

    values = {"lr": 0.05, "alpha": 0.9, "eps": 0.05}
    start, gradients = draw(3, 4), [draw(3, 4) for _ in range(5)]
    ours, theirs = _race(rmsprop, [start], [values], [[g] for g in gradients], "one parameter")
    if not close(ours[-1][0], theirs[-1][0]):
        for words, wrong in _wrong_walks(start, gradients, **values):
            require(not close(ours[-1][0], wrong, 1e-4, 1e-5), words)
        _require_same(ours, theirs, "one parameter", "it is not where PyTorch's RMSprop is")

    def compare(case, words, groups, gradients):
        starts = [draw(3), draw(3)]
        found, right = _race(rmsprop, starts, groups, gradients, case)
        still = len(groups) == 2 and close(found[-1][1], starts[1])
        require(not still, f"{case}: the parameters of the second one never move")
        _require_same(found, right, case, words)

    steps = [[draw(3), 5 * draw(3)] for _ in range(4)]
    compare("two parameters", "alone each is right; has each its own average?", [values], steps)
    groups = [values, {"lr": 0.2, "alpha": 0.5, "eps": 0.3}]
    compare("two groups", "lr, alpha and eps may differ from group to group", groups, steps)
    steps = [[draw(3), draw(3) if number in (0, 2, 5) else None] for number in range(6)]
    compare("a gradient that is None", "is its average left alone?", [values], steps)
    zeros = [[torch.zeros(3), draw(3)], [torch.tensor([0.0, 1.0, 0.0]), torch.zeros(3)]]
    compare("a gradient of 0", "PyTorch goes elsewhere", [values | {"eps": 1e-8}], zeros)
    _require_schedule_and_state(rmsprop, draw(4), [[draw(4)] for _ in range(4)], values)


def _make(optimizer_class, starts, groups):
    """Parameters with these values, all in one group or each in its own, and their optimizer."""
    parameters = [nn.Parameter(start.clone()) for start in starts]
    given = parameters
    if len(groups) > 1:
        given = [{"params": [p]} | group for p, group in zip(parameters, groups, strict=True)]
    optimizer = optimizer_class(given, *groups[0].values())
    kind = type(optimizer).__name__
    proper = isinstance(optimizer, torch.optim.Optimizer)
    require(proper, f"it must make a torch.optim.Optimizer, not {kind}")
    return parameters, optimizer


def _race(rmsprop, starts, groups, gradients, case):
    """Step the student's optimizer and PyTorch's; the values of both after each step."""
    runs = []
    for optimizer_class in (rmsprop, torch.optim.RMSprop):
        parameters, optimizer = _make(optimizer_class, starts, groups)
        own = optimizer_class is not rmsprop or not isinstance(optimizer, torch.optim.RMSprop)
        require(own, "that is PyTorch's own RMSprop: write `step` yourself")
        runs.append([_step(parameters, optimizer, step, case) for step in gradients])
    return runs


def _step(parameters, optimizer, gradients, case):
    for parameter, gradient in zip(parameters, gradients, strict=True):
        parameter.grad = None if gradient is None else gradient.clone()
    try:
        optimizer.step()
    except (TypeError, AttributeError) as error:
        missing = any(gradient is None for gradient in gradients)
        require(not missing, f"{case} raises {type(error).__name__}: nothing is to be done then")
        raise
    for parameter, gradient in zip(parameters, gradients, strict=True):
        kept = (parameter.grad is None) == (gradient is None)
        require(kept, f"{case}: `step` sets or removes a gradient; `zero_grad` is called elsewhere")
        same = gradient is None or torch.equal(parameter.grad, gradient)
        require(same, f"{case}: `step` changes the gradient: is an operation in place?")
        finite = bool(parameter.isfinite().all())
        require(finite, f"{case}: a parameter is NaN or infinite: 0 / 0, or a negative root?")
    optimizer.zero_grad(set_to_none=False)  # what is kept of a gradient must be a copy
    return [parameter.detach().clone() for parameter in parameters]


def _require_same(found, right, case, words):
    for number, (ours, theirs) in enumerate(zip(found, right, strict=True), start=1):
        require(all(map(close, ours, theirs)), f"{case}, after step {number}: {words}")


def _require_schedule_and_state(rmsprop, start, gradients, values):
    """The learning rate is changed as schedulers do; then one goes on from a checkpoint."""
    case, ends = "a learning rate that changes between steps", {}
    for name in ("theirs", "ours", "resumed"):
        optimizer_class = torch.optim.RMSprop if name == "theirs" else rmsprop
        parameters, optimizer = _make(optimizer_class, [start], [values])
        for number, gradient in enumerate(gradients):
            if name == "resumed" and number == 2:
                state = copy.deepcopy(optimizer.state_dict())
                parameters, optimizer = _make(rmsprop, parameters, [values])
                optimizer.load_state_dict(state)
            optimizer.param_groups[0]["lr"] = values["lr"] * 0.3**number
            (ends[name],) = _step(parameters, optimizer, gradient, case)
    require(close(ends["ours"], ends["theirs"]), f"{case}: read `lr` from the group in each step")
    lost = "its average is not in `self.state`, and lost with every checkpoint"
    resumed = close(ends["resumed"], ends["ours"])
    require(resumed, f"an optimizer that goes on from its `state_dict()`: {lost}")


def _wrong_walks(start, gradients, lr, alpha, eps):
    """Yield (what the check says, where that mistake leads)."""

    def average(v, g):
        return alpha * v + (1 - alpha) * g**2

    def divided(v, g):
        return g / (v.sqrt() + eps)

    def walk(average=average, direction=divided, first=0.0, late=False, lr=lr):
        position, v = start, torch.as_tensor(first)
        for g in gradients:
            old, v = v, average(v, g)
            position = position - lr * direction(old if late else v, g)
        return position

    adagrad = "the squares add up, and nothing is forgotten: that is Adagrad"
    yield "eps stands under the root", walk(direction=lambda v, g: g / (v + eps).sqrt())
    yield "the square root is missing", walk(direction=lambda v, g: g / (v + eps))
    yield "a gradient's own square must be in the average that divides it", walk(late=True)
    yield "that is plain gradient descent", walk(direction=lambda v, g: g)
    exchanged = walk(lambda v, g: (1 - alpha) * v + alpha * g**2)
    yield "alpha and 1 - alpha are exchanged", exchanged
    yield adagrad, walk(lambda v, g: v + g**2)
    yield "new squares are added in full: 1 - alpha is missing", walk(lambda v, g: alpha * v + g**2)
    forgetful = "the average remembers no earlier step: is it kept in the state?"
    yield forgetful, walk(lambda v, g: (1 - alpha) * g**2)
    yield "each gradient is divided by its own size only", walk(lambda v, g: g**2)
    whole = "one average for the whole tensor; each of its numbers has its own"
    yield whole, walk(lambda v, g: alpha * v + (1 - alpha) * (g**2).mean())
    yield "the average must begin with 0", walk(first=gradients[0] ** 2)
    yield "uphill: the sign of the step", walk(lr=-lr)
    yield "no parameter moves", start


# --- 07.5 ----------------------------------------------------------------------------------------


@exercise(
    "07.5",
    "Choose hyperparameters",
    "First the places: `torch.randperm(n, generator=…)` is a random order of 0 … n - 1. Cut it in "
    "two; the same places pick inputs and targets.",
    "A loop over the settings: `fit` on one part, `score` on the other. After the loop comes what "
    "happens once: one more `fit`, on all that is not test, and one `score`.",
    "What is `float('nan') < 0.5`, and `0.5 < float('nan')`? What do `min([nan, 0.5])` and "
    "`min([0.5, nan])` give? `math.isfinite` sorts such losses out.",
    "For ties: which of two equal numbers does `min` find, which does `<` in a loop, which `<=`?",
    "The test data may appear in one line of your function only.",
)
def check_choice(choose_setting, generator):
    nan, inf = math.nan, math.inf
    for losses, best, what in (
        ((0.7, 0.4, 0.6), 1, "three losses"),
        ((0.3, 0.8, 0.9, 0.5), 0, "four losses"),
        ((0.9, 0.8, 0.5, 0.2), 3, "four losses"),
        ((nan, 0.6, 0.5), 2, "the first loss is NaN"),
        ((0.8, nan, 0.5, inf), 2, "one loss is NaN, one infinite"),
        ((0.6, 0.5, nan), 1, "the last loss is NaN"),
        ((0.6, 0.5, 0.7, 0.5), 1, "two settings share the lowest loss"),
    ):
        trial, again, other = (_Trial(losses, generator) for _ in range(3))
        result = trial.run(choose_setting, seed=3)
        trial.require_protocol()
        trial.require_result(result, best, what)
        again.run(choose_setting, seed=3)
        other.run(choose_setting, seed=4)
        require(again.held == trial.held, "the same seed gives another split each time")
        require(other.held != trial.held, "the split is the same, whatever the seed")
    for losses in ((nan, nan), (inf, nan, inf)):
        trial, case = _Trial(losses, generator), f"the losses {_listed(losses)}"
        result = _refused(lambda trial=trial: trial.run(choose_setting, seed=3), case)
        require(result is None, f"{case}: none is finite, yet a setting is chosen: ValueError")


class _Trial:
    """Data whose rows are numbered, and a `fit` and a `score` that note which rows they see."""

    num_held_out, num_samples = 7, 26

    def __init__(self, losses, generator):
        self.losses = losses
        self.settings = [{"optimizer": "SGD", "lr": 0.1**k} for k in range(len(losses))]
        self.data = [self._rows(0, self.num_samples, generator), self._rows(100, 111, generator)]
        self.fits, self.scores = [], []  # (setting's place, rows); (its place, fitted on, rows)

    @staticmethod
    def _rows(start, stop, generator):
        """Rows with these numbers; test rows begin at 100."""
        numbers = torch.arange(start, stop)
        noise = torch.randn(len(numbers), generator=generator)
        return torch.stack([numbers, noise], dim=1), (numbers % 5).float().unsqueeze(1)

    def run(self, choose_setting, seed):
        given = copy.deepcopy((self.settings, *self.data))
        settings, train_data, test_data = given
        functions = self.fit, self.score
        options = self.num_held_out, seed
        result = choose_setting(settings, *functions, train_data, test_data, *options)
        same = settings == self.settings and all(
            torch.equal(now, before)
            for pair, kept in zip((train_data, test_data), self.data, strict=True)
            for now, before in zip(pair, kept, strict=True)
        )
        require(same, "the settings or the data themselves were changed")
        self.held = next((set(rows) for *_, rows in self.scores if max(rows) < 100), None)
        return result

    def fit(self, setting, data):
        known = isinstance(setting, dict) and setting in self.settings
        require(known, f"`fit` gets {setting!r}, which is none of the settings")
        self.fits.append((self.settings.index(setting), self._numbers(data, "fit")))
        return self.fits[-1]

    def score(self, model, data):
        known = isinstance(model, tuple) and model in self.fits
        require(known, "`score` gets something that `fit` did not return")
        place, fitted = model
        self.scores.append((place, fitted, self._numbers(data, "score")))
        return self._test_loss(place) if max(self.scores[-1][2]) >= 100 else self.losses[place]

    def _test_loss(self, place):
        return 0.45 + 0.1 * (len(self.losses) - place)

    def _numbers(self, data, name):
        pair = isinstance(data, tuple | list) and len(data) == 2
        tensors = pair and all(isinstance(part, torch.Tensor) for part in data)
        require(tensors, f"`{name}` must get a pair of tensors: (inputs, targets)")
        inputs, targets = data
        shapes = f"{tuple(inputs.shape)} and {tuple(targets.shape)}"
        fitting = inputs.ndim == 2 and inputs.shape[1] == 2 and targets.shape == (len(inputs), 1)
        require(fitting and len(inputs), f"`{name}` gets inputs and targets of shapes {shapes}")
        numbers = inputs[:, 0].long()
        together = torch.equal((numbers % 5).float(), targets[:, 0])
        require(together, f"`{name}` gets inputs and targets that do not belong together")
        return numbers.tolist()

    def require_protocol(self):
        """Nothing is fitted on test rows, chosen by them, or judged by rows it was fitted on."""
        leak = any(max(rows) >= 100 for _, rows in self.fits)
        require(not leak, "a model is fitted on test examples: no test of it counts any more")
        tests = [score for score in self.scores if max(score[2]) >= 100]
        many = f"the test part is scored {len(tests)} times: once, after the choice, is allowed"
        require(len(tests) < 2, many)
        chosen = [score for score in self.scores if score not in tests]
        require(chosen, "no setting is scored on examples held out of the training data")
        for _, fitted, rows in chosen:
            seen = len(set(fitted) & set(rows))
            by_heart = f"{seen} of the {len(rows)} examples that judge a model"
            require(not seen, f"{by_heart} are among those that it was fitted on")
        self._require_split(chosen)
        once = sorted(place for place, *_ in chosen) == [*range(len(self.settings))]
        told = f"{len(chosen)} scores on the held-out part for {len(self.settings)} settings"
        require(once, f"{told}: one for each")
        require(tests, "the test part is never scored")
        last = self.scores[-1] == tests[0] and sorted(tests[0][2]) == [*range(100, 111)]
        require(last, "the test loss must be the last one taken, of all test examples")
        final = len(tests[0][1])
        told = f"the model that is tested was fitted on {final} of {self.num_samples} examples"
        require(final == self.num_samples, f"{told}: fit the best setting anew, on all of them")

    def _require_split(self, chosen):
        _, fitted, rows = chosen[0]
        twice = len({*rows}) < len(rows) or len({*fitted}) < len(fitted)
        require(not twice, "some examples are drawn more than once, and others never")
        told = (
            f"of {self.num_samples} examples {len(rows)} are held out and {len(fitted)} fitted on"
        )
        swapped = len(fitted) == self.num_held_out
        require(not swapped, f"{told}: the other way round")
        right = len(rows) == self.num_held_out and len(rows) + len(fitted) == self.num_samples
        require(right, f"{told}; {self.num_held_out} should be held out, the others fitted on")
        in_order = max(rows) < min(fitted) or max(fitted) < min(rows)
        require(not in_order, "the part held out is not drawn at random; data may be sorted")
        same = all({*other} == {*rows} for *_, other in chosen)
        require(same, "the settings are judged by different examples: split once, before the loop")

    def require_result(self, result, best, what):
        three = isinstance(result, tuple | list) and len(result) == 3
        require(three, "it must return three things: the best setting, the losses, the test loss")
        setting, losses, test_loss = result
        known = isinstance(setting, dict) and setting in self.settings
        require(known, f"the best setting is returned as {setting!r}, which is none of them")
        place, tested = self.settings.index(setting), self.scores[-1][0]
        found = self.losses[place]
        told = f"{what} ({_listed(self.losses)}): it chooses {found:g}"
        require(not math.isnan(found), f"{told}: no comparison with NaN is true")
        require(found == self.losses[best], f"{told}: the lowest loss is asked for")
        require(place == best, f"{told}, right, but of equal losses the first is asked for")
        require(tested == best, f"{what}: another setting is tested than the one returned")
        self._require_losses(losses)
        number = require_number(test_loss, "the test loss")
        held_out = close(number, found)
        require(not held_out, "the loss returned last is that on the held-out part")
        right = close(number, self._test_loss(best))
        require(right, f"{number:.3g} is returned as test loss; `score` gave another number")

    def _require_losses(self, losses):
        try:
            found = [float(loss) for loss in losses]
        except (TypeError, ValueError):
            raise Mistake(f"the losses must be a list of numbers, not {losses!r}") from None
        pairs = torch.tensor(found), torch.tensor(self.losses)
        same = len(found) == len(self.losses) and torch.allclose(*pairs, equal_nan=True)
        told = f"the losses {_listed(found)} are returned, where `score` gave"
        require(same, f"{told} {_listed(self.losses)}")


def _listed(losses):
    return ", ".join(f"{loss:g}" for loss in losses)
