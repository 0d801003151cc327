"""Training against a loop written by hand, and an interrupted run against one straight through."""

import inspect
import re
import shutil
import time

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn
from torch.optim.lr_scheduler import ReduceLROnPlateau, StepLR
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.data import DataLoader, TensorDataset
from tqdm.std import tqdm

from course_utils import training
from course_utils.metrics import accuracy, most_likely
from course_utils.training import evaluate, predict, train, train_one_epoch

CLASSIFY = {"metrics": {"accuracy": accuracy}, "decide": most_likely}


def data(n=50, seed=0):
    generator = torch.Generator().manual_seed(seed)
    inputs = torch.randn(n, 4, generator=generator)
    return TensorDataset(inputs, (inputs.sum(dim=1) > 0).long())


def loader(n=50, batch_size=16, seed=0, shuffle=True):
    return DataLoader(
        data(n), batch_size, shuffle=shuffle, generator=torch.Generator().manual_seed(seed)
    )


def net(seed=0):
    torch.manual_seed(seed)
    return nn.Sequential(
        nn.Linear(4, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(0.5), nn.Linear(8, 2)
    )


def adam(model, lr=0.01):
    return torch.optim.Adam(model.parameters(), lr=lr)


def weights(model):
    return {key: value.clone() for key, value in model.state_dict().items()}


def equal(a, b):
    return a.keys() == b.keys() and all(torch.equal(a[key], b[key]) for key in a)


loss_fn = nn.CrossEntropyLoss()


# --- the loop ---------------------------------------------------------------------------------


@pytest.mark.parametrize("own_generator", [True, False])
def test_same_weights_as_a_loop_written_by_hand(own_generator):
    def batches():
        if own_generator:
            return loader()
        return DataLoader(data(), 16, shuffle=True)

    model, train_loader = net(), batches()
    optimizer = adam(model)
    losses = []
    for _ in range(3):
        total = 0.0
        for inputs, targets in train_loader:
            loss = loss_fn(model(inputs), targets)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item() * len(inputs)
        losses.append(total / 50)

    ours = net()
    history = train(ours, loss_fn, adam(ours), batches(), epochs=3)
    assert equal(weights(ours), weights(model))
    assert history.train_loss.tolist() == pytest.approx(losses, rel=1e-12)


def test_validation_does_not_disturb_training():
    plain, watched = net(), net()
    shared = torch.Generator().manual_seed(1)
    train(plain, loss_fn, adam(plain), loader(seed=1), epochs=3)
    torch.manual_seed(0)
    watched = net()
    train_loader = DataLoader(data(), 16, shuffle=True, generator=shared)
    val_loader = DataLoader(data(20), 7, shuffle=True, generator=shared)
    train(watched, loss_fn, adam(watched), train_loader, val_loader, epochs=3, **CLASSIFY)
    assert equal(weights(plain), weights(watched))


def test_the_six_verbs_stand_in_order():
    source = inspect.getsource(train_one_epoch)
    verbs = ["model(", "loss_fn, outputs", "zero_grad", "backward", ".step", "record.add"]
    places = [source.index(verb) for verb in verbs]
    assert places == sorted(places)


def test_history_has_one_row_an_epoch_and_the_promised_columns():
    model = net()
    history = train(model, loss_fn, adam(model), loader(), loader(20), epochs=3, **CLASSIFY)
    assert isinstance(history, pd.DataFrame)
    assert history.columns.tolist() == [
        *("epoch", "seconds", "train_loss", "train_accuracy", "val_loss", "val_accuracy"),
    ]
    assert history.epoch.tolist() == [1, 2, 3]
    assert history.train_accuracy.between(0, 1).all()
    without = train(model, loss_fn, adam(model), loader(), epochs=1)
    assert without.columns.tolist() == ["epoch", "seconds", "train_loss"]


def test_it_learns():
    model = net()
    history = train(model, loss_fn, adam(model, 0.05), loader(), epochs=30, **CLASSIFY)
    assert history.train_loss.iloc[-1] < 0.7 * history.train_loss.iloc[0]
    assert evaluate(model, loss_fn, loader(), **CLASSIFY)["accuracy"] > 0.9


def test_loss_is_weighted_with_a_ragged_last_batch():
    model = net().eval()
    dataset = data(50)  # 16 + 16 + 16 + 2
    inputs, targets = dataset.tensors
    whole = loss_fn(model(inputs), targets).item()
    batch_means = [loss_fn(model(x), y).item() for x, y in DataLoader(dataset, 16)]
    assert abs(np.mean(batch_means) - whole) > 1e-3  # so the two can be told apart
    for batch_size in (1, 16, 50):  # IDL 2.5: it must not depend on the batch size
        result = evaluate(model, loss_fn, DataLoader(dataset, batch_size))["loss"]
        assert result == pytest.approx(whole, rel=1e-5)
    frozen = torch.optim.SGD(model.parameters(), lr=0.0)
    model[1], model[3] = nn.Identity(), nn.Identity()
    inputs_loss = loss_fn(model(inputs), targets).item()
    result = train_one_epoch(model, loss_fn, frozen, DataLoader(dataset, 16))["loss"]
    assert result == pytest.approx(inputs_loss, rel=1e-5)


def test_metrics_see_the_whole_epoch_once_for_training_and_validation():
    calls = []

    def count(targets, predictions):
        calls.append((len(targets), predictions.shape, predictions.requires_grad))
        return np.float64(len(targets))

    model = net()
    metrics = {"count": count}
    history = train(model, loss_fn, adam(model), loader(50), loader(20), epochs=2, metrics=metrics)
    assert calls == [(50, (50, 2), False), (20, (20, 2), False)] * 2  # raw outputs
    assert history.val_count.tolist() == [20.0, 20.0]


class Counting(TorchDispatchMode):
    """Counts the operations that wait for a device: a tensor's number read, a tensor copied."""

    def __init__(self):
        super().__init__()
        self.waits = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        self.waits += func in (
            torch.ops.aten._local_scalar_dense.default,
            torch.ops.aten.is_nonzero.default,
            torch.ops.aten._to_copy.default,
        )
        return func(*args, **(kwargs or {}))


def test_no_batch_waits_for_the_device():
    def waits(batches, run):
        pairs = [(torch.randn(8, 4), torch.zeros(8).long())] * batches
        model = net()
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        tolist, calls = torch.Tensor.tolist, []
        with pytest.MonkeyPatch.context() as patch, Counting() as counting:
            patch.setattr(torch.Tensor, "tolist", lambda t: calls.append(t) or tolist(t))
            patch.setattr(torch.Tensor, "cpu", lambda t: calls.append(t) or t)
            run(model, optimizer, pairs)
        return counting.waits + len(calls)

    runs = [
        lambda model, optimizer, pairs: train_one_epoch(
            model, loss_fn, optimizer, pairs, **CLASSIFY
        ),
        lambda model, optimizer, pairs: evaluate(model, loss_fn, pairs, **CLASSIFY),
        lambda model, optimizer, pairs: predict(model, pairs),
    ]
    for run in runs:
        assert 0 < waits(2, run) == waits(20, run) < 10


# --- what is left as found --------------------------------------------------------------------


def test_evaluate_and_predict_change_nothing():
    model = net()
    model[1].eval()  # a frozen batch norm stays frozen
    model(torch.randn(8, 4)).sum().backward()
    modes = [module.training for module in model.modules()]
    before, gradient = weights(model), model[0].weight.grad.clone()
    batches = loader()
    for consumes_global in (batches, DataLoader(data(), 16, shuffle=True)):
        for use in (lambda b: evaluate(model, loss_fn, b), lambda b: predict(model, b)):
            state, own = torch.get_rng_state(), batches.generator.get_state()
            use(consumes_global)
            assert torch.equal(torch.get_rng_state(), state)
            assert torch.equal(batches.generator.get_state(), own)
            assert [module.training for module in model.modules()] == modes
            assert equal(weights(model), before)
            assert torch.equal(model[0].weight.grad, gradient)


@pytest.mark.parametrize("training_mode", [True, False])
def test_train_leaves_the_mode_as_found_and_trains_in_training_mode(training_mode):
    model, seen = net().train(training_mode), []
    model[3].register_forward_hook(lambda m, i, o: seen.append(m.training))
    train(model, loss_fn, adam(model), loader(32), loader(16), epochs=1)
    assert model.training is model[3].training is training_mode
    assert seen == [True, True, False]  # two training batches, one of validation
    assert all(p.device.type == "cpu" for p in model.parameters())


def test_predict_gives_outputs_in_the_loaders_order():
    model = net()
    inputs = data().tensors[0]
    expected = model.eval()(inputs).detach()
    outputs = predict(model, loader(shuffle=False))
    torch.testing.assert_close(outputs, expected)
    assert not outputs.requires_grad
    assert not outputs.is_inference()  # may be used in further computations


def test_batches_move_to_the_models_device(monkeypatch):
    moved = []
    monkeypatch.setattr(training, "to_device", lambda b, device: moved.append(device) or b)
    evaluate(net(), loss_fn, loader(32))
    assert moved == [torch.device("cpu")] * 2
    model = net().to("meta")
    next(training._batches(loader(), model))
    assert moved[-1] == torch.device("meta")


# --- bad input --------------------------------------------------------------------------------


@pytest.mark.parametrize("part", ["train", "val"])
@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_a_loss_that_is_not_finite_names_epoch_and_batch(part, bad, tmp_path):
    inputs, targets = data(40).tensors
    spoiled = inputs.clone()
    spoiled[25] = bad
    good = DataLoader(TensorDataset(inputs, targets), 10)
    bad_loader = DataLoader(TensorDataset(spoiled, targets), 10)
    loaders = (bad_loader, good) if part == "train" else (good, bad_loader)
    model = nn.Linear(4, 2)
    name = {"train": "training", "val": "validation"}[part]
    with pytest.raises(
        FloatingPointError, match=f"epoch 1: the {name} loss is nan in batch 3 of 4"
    ):
        train(model, loss_fn, adam(model), *loaders, epochs=2, checkpoint=tmp_path / "a")
    assert not (tmp_path / "a").exists()


def test_a_later_epoch_is_named_and_its_checkpoint_is_the_last_good_one(tmp_path):
    model = nn.Linear(4, 2)

    def spoil(row):
        if row["epoch"] == 2:
            model.bias.data.fill_(float("inf"))

    with pytest.raises(FloatingPointError, match=r"epoch 3: .* batch 1 of 4"):
        train(
            *(model, loss_fn, adam(model), loader()),
            **{"epochs": 5, "on_epoch_end": spoil, "checkpoint": tmp_path / "a"},
        )
    model = nn.Linear(4, 2)
    assert len(train(model, loss_fn, adam(model), loader(), epochs=2, resume=tmp_path / "a")) == 2


@pytest.mark.parametrize("epochs", [0, -1])
def test_at_least_one_epoch(epochs):
    model = net()
    with pytest.raises(ValueError, match=f"at least 1, not {epochs}"):
        train(model, loss_fn, adam(model), loader(), epochs=epochs)


def test_an_empty_loader_is_named():
    model, empty = net(), DataLoader(TensorDataset(torch.zeros(0, 4), torch.zeros(0).long()))
    with pytest.raises(ValueError, match="at least one batch"):
        train(model, loss_fn, adam(model), empty, epochs=1)
    with pytest.raises(ValueError, match="at least one batch"):
        train(model, loss_fn, adam(model), loader(), empty, epochs=1)
    with pytest.raises(ValueError, match="at least one batch"):
        predict(model, empty)


@pytest.mark.parametrize("batch", [torch.zeros(2, 4), (torch.zeros(2, 4),), (1, 2, 3), {"x": 1}])
def test_a_batch_must_be_a_pair(batch):
    model = net()
    for use in (
        lambda: train(model, loss_fn, adam(model), [batch], epochs=1),
        lambda: evaluate(model, loss_fn, [batch]),
        lambda: predict(model, [batch]),
    ):
        with pytest.raises(ValueError, match=r"pair \(inputs, targets\), not a"):
            use()


def test_a_batch_may_be_a_list_or_hold_containers():
    class TwoInputs(nn.Module):
        def __init__(self):
            super().__init__()
            self.linear = nn.Linear(4, 2)

        def forward(self, inputs):
            return self.linear(inputs["a"] + inputs["b"])

    model = TwoInputs()
    batch = [{"a": torch.ones(3, 4), "b": torch.ones(3, 4)}, torch.zeros(3).long()]
    assert train(model, loss_fn, adam(model), [batch], epochs=1, **CLASSIFY).shape == (1, 4)


@pytest.mark.parametrize(
    "wrong",
    [
        nn.CrossEntropyLoss(reduction="sum"),
        nn.CrossEntropyLoss(reduction="none"),
        lambda outputs, targets: outputs.square().mean(dim=1),
    ],
)
def test_the_loss_must_be_one_mean(wrong):
    model = net()
    before = weights(model)
    for use in (
        lambda: train(model, wrong, adam(model), loader(), epochs=1),
        lambda: evaluate(model, wrong, loader()),
    ):
        with pytest.raises(ValueError, match="must give one number, the mean over the batch"):
            use()
    assert torch.equal(model[0].weight, before["0.weight"])
    assert model.training


def test_the_batch_mean_of_a_divergence_is_a_mean():
    model = nn.Sequential(nn.Linear(4, 2), nn.LogSoftmax(dim=1))
    pairs = [(torch.randn(5, 4), torch.full((5, 2), 0.5))]
    assert evaluate(model, nn.KLDivLoss(reduction="batchmean"), pairs)["loss"] >= 0


def test_another_models_optimizer_is_refused():
    model = net()
    with pytest.raises(ValueError, match="has none of its parameters"):
        train(model, loss_fn, adam(net()), loader(), epochs=1)


# --- scheduler, callback, progress ------------------------------------------------------------


def test_scheduler_steps_once_an_epoch():
    model = net()
    optimizer = torch.optim.SGD(model.parameters(), lr=1.0)
    scheduler, rates = StepLR(optimizer, step_size=1, gamma=0.5), []
    train(
        *(model, loss_fn, optimizer, loader()),
        **{"epochs": 3, "scheduler": scheduler},
        on_epoch_end=lambda row: rates.append(optimizer.param_groups[0]["lr"]),
    )
    assert rates == [0.5, 0.25, 0.125]


def test_plateau_scheduler_gets_the_validation_loss(monkeypatch):
    model = net()
    optimizer = adam(model)
    scheduler, given = ReduceLROnPlateau(optimizer), []
    monkeypatch.setattr(scheduler, "step", given.append)
    history = train(model, loss_fn, optimizer, loader(), loader(20), epochs=3, scheduler=scheduler)
    assert given == history.val_loss.tolist()
    with pytest.raises(ValueError, match="needs a val_loader"):
        train(model, loss_fn, optimizer, loader(), epochs=1, scheduler=scheduler)


def test_callback_gets_each_row_last_and_cannot_change_the_history(tmp_path):
    rows = []

    def callback(row):
        assert (tmp_path / "a").exists()
        rows.append(dict(row))
        row["train_loss"] = None

    model = net()
    history = train(
        *(model, loss_fn, adam(model), loader(), loader(20)),
        **{"epochs": 2, "checkpoint": tmp_path / "a", "on_epoch_end": callback},
    )
    assert history.to_dict("records") == rows


def test_seconds_add_up_training_and_leave_out_validation():
    def slow(seconds):
        for batch in loader(16):
            time.sleep(seconds)
            yield batch

    class Slow:
        def __init__(self, seconds):
            self.seconds = seconds

        def __iter__(self):
            return slow(self.seconds)

    model = net()
    history = train(model, loss_fn, adam(model), Slow(0.05), Slow(0.6), epochs=2)
    first, second = history.seconds
    assert 0.05 <= first < 0.5
    assert first + 0.05 <= second < 1.0


@pytest.mark.parametrize(
    ("progress", "variable", "shown"), [(True, "0", True), (True, "1", False), (False, "0", False)]
)
def test_progress_is_shown_and_hidden(monkeypatch, capsys, progress, variable, shown):
    monkeypatch.setenv("COURSE_NO_PROGRESS", variable)
    bars, made = [], []

    def bar(**options):
        made.append(options)
        bars.append(tqdm(**options))
        return bars[-1]

    monkeypatch.setattr(training, "tqdm", bar)
    model = net()
    train(model, loss_fn, adam(model), loader(), epochs=2, progress=progress)
    assert bool(capsys.readouterr().err) is shown
    assert made[0]["disable"] is not shown
    assert made[0]["leave"] is False
    if shown:
        assert (bars[0].n, bars[0].total) == (2, 2)  # epochs


# --- checkpoint and resume --------------------------------------------------------------------


class Noisy(torch.utils.data.Dataset):
    """Draws from NumPy and Python for each example, as some augmentations do."""

    def __len__(self):
        return 50

    def __getitem__(self, i):
        import random

        inputs, target = data()[i]
        return inputs + 0.1 * np.random.rand() + 0.1 * random.random(), target


def fresh(own_generator=True, dataset=None, seed=0):
    import random

    model = net(seed)
    optimizer = adam(model, 0.05)
    np.random.seed(seed)
    random.seed(seed)
    generator = torch.Generator().manual_seed(seed) if own_generator else None
    batches = DataLoader(dataset or data(), 16, shuffle=True, generator=generator)
    scheduler = StepLR(optimizer, step_size=2, gamma=0.3)
    return (model, loss_fn, optimizer, batches, loader(20)), {"scheduler": scheduler, **CLASSIFY}


@pytest.mark.parametrize("own_generator", [True, False])
@pytest.mark.parametrize("dataset", [None, Noisy()])
def test_resuming_equals_never_having_stopped(tmp_path, own_generator, dataset):
    straight, options = fresh(own_generator, dataset)
    expected = train(*straight, epochs=4, **options)

    first, options = fresh(own_generator, dataset)
    train(*first, epochs=2, checkpoint=tmp_path / "a", **options)
    second, options = fresh(own_generator, dataset, seed=99)  # other weights, seeds and order
    torch.rand(7)
    history = train(*second, epochs=4, resume=tmp_path / "a", **options)

    assert equal(weights(second[0]), weights(straight[0]))
    pd.testing.assert_frame_equal(
        history.drop(columns="seconds"), expected.drop(columns="seconds"), check_exact=True
    )
    assert history.seconds.is_monotonic_increasing
    assert options["scheduler"].last_epoch == 4


def test_a_resumed_runs_bar_starts_where_the_run_stopped(tmp_path, monkeypatch):
    arguments, options = fresh()
    train(*arguments, epochs=2, checkpoint=tmp_path / "a", **options)
    starts = []
    monkeypatch.setattr(training, "tqdm", lambda **kw: starts.append(kw["initial"]) or tqdm(**kw))
    arguments, options = fresh()
    train(*arguments, epochs=3, resume=tmp_path / "a", progress=False, **options)
    assert starts == [2]


def test_an_interrupted_run_continues_from_its_last_whole_epoch(tmp_path):
    straight, options = fresh()
    train(*straight, epochs=3, **options)

    batches = []

    def interrupt(module, inputs):
        batches.append(module.training)
        if sum(batches) == 10:  # of 4 training batches an epoch: in the third
            raise KeyboardInterrupt

    broken, options = fresh()
    broken[0].register_forward_pre_hook(interrupt)
    with pytest.raises(KeyboardInterrupt):
        train(*broken, epochs=3, checkpoint=tmp_path / "a", **options)
    assert broken[0].training

    second, options = fresh(seed=5)
    history = train(*second, epochs=3, checkpoint=tmp_path / "a", resume=tmp_path / "a", **options)
    assert len(history) == 3
    assert equal(weights(second[0]), weights(straight[0]))


def test_checkpoint_only_writes(tmp_path):
    arguments, options = fresh()
    train(*arguments, epochs=1, checkpoint=tmp_path / "a", **options)
    plain, options = fresh()
    expected = train(*plain, epochs=1, **options)
    again, options = fresh()
    history = train(*again, epochs=1, checkpoint=tmp_path / "a", **options)
    assert history.epoch.tolist() == [1]
    assert history.train_loss.tolist() == expected.train_loss.tolist()


def test_resume_only_reads(tmp_path):
    arguments, options = fresh()
    train(*arguments, epochs=1, checkpoint=tmp_path / "a", **options)
    old = (tmp_path / "a").read_bytes()
    arguments, options = fresh()
    train(*arguments, epochs=2, resume=tmp_path / "a", **options)
    assert (tmp_path / "a").read_bytes() == old


def test_a_finished_run_comes_back_as_it_was(tmp_path):
    arguments, options = fresh()
    expected = train(*arguments, epochs=2, checkpoint=tmp_path / "a", **options)
    second, options = fresh(seed=3)
    pd.testing.assert_frame_equal(
        train(*second, epochs=2, resume=tmp_path / "a", **options), expected
    )
    assert equal(weights(second[0]), weights(arguments[0]))


def test_every_few_epochs_is_a_plain_callback(tmp_path):
    """IDL 2.6, exercise 4: a checkpoint kept every x epochs."""

    def keep(row):
        if row["epoch"] % 2 == 0:
            shutil.copy(tmp_path / "a", tmp_path / f"epoch-{row['epoch']}")

    arguments, options = fresh()
    train(*arguments, epochs=4, checkpoint=tmp_path / "a", on_epoch_end=keep, **options)
    assert sorted(p.name for p in tmp_path.glob("epoch-*")) == ["epoch-2", "epoch-4"]
    second, options = fresh(seed=3)
    train(*second, epochs=4, resume=tmp_path / "epoch-2", **options)
    assert equal(weights(second[0]), weights(arguments[0]))


@pytest.mark.parametrize(
    "change",
    [{"metrics": None, "decide": None}, {"scheduler": None}, {"epochs": 1}, {"val_loader": None}],
)
def test_a_checkpoint_of_another_run_is_refused(tmp_path, change):
    arguments, options = fresh()
    train(*arguments, epochs=2, checkpoint=tmp_path / "a", **options)
    arguments, options = fresh()
    options |= {"epochs": 3, "val_loader": arguments[-1]} | change
    with pytest.raises(ValueError, match=re.escape(str(tmp_path / "a"))):
        train(*arguments[:-1], resume=tmp_path / "a", **options)


def test_missing_checkpoint_and_folder_are_told_before_training(tmp_path):
    arguments, options = fresh()
    before = weights(arguments[0])
    with pytest.raises(FileNotFoundError, match="nowhere"):
        train(*arguments, epochs=1, resume=tmp_path / "nowhere", **options)
    with pytest.raises(FileNotFoundError, match=r"no folder .*nowhere"):
        train(*arguments, epochs=1, checkpoint=tmp_path / "nowhere" / "a", **options)
    assert equal(weights(arguments[0]), before)
