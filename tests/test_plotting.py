"""plotting: what is on the axes."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
import torch

from course_utils.plotting import COLORS, plot_history, plot_images


@pytest.fixture
def history():
    columns = {"epoch": [1, 2, 3], "seconds": [0.5, 1.0, 1.5], "train_loss": [3.0, 2.0, 1.0]}
    return pd.DataFrame(columns | {"val_loss": [3.5, 3.0, 2.5], "val_accuracy": [0.1, 0.5, 0.9]})


@pytest.fixture
def ax():
    figure, ax = plt.subplots()
    yield ax
    plt.close(figure)


def test_training_and_validation_together(history, ax):
    returned = plot_history(history, ax=ax)
    train, val = ax.lines
    assert returned is ax
    np.testing.assert_array_equal(train.get_ydata(), history["train_loss"])
    np.testing.assert_array_equal(val.get_ydata(), history["val_loss"])
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("epoch", "loss")
    assert [text.get_text() for text in ax.get_legend().texts] == ["train loss", "val loss"]
    assert (train.get_color(), val.get_color()) == (COLORS["train"], COLORS["val"])
    assert train.get_linestyle() != val.get_linestyle()
    assert train.get_marker() != val.get_marker()


def test_only_the_columns_there(history, ax):
    plot_history(history.drop(columns="val_loss"), ax=ax)
    assert len(ax.lines) == 1


def test_one_column_styled_against_seconds(history, ax):
    plot_history(history, "val_accuracy", x="seconds", label="CNN", ax=ax, color="k", marker="^")
    (line,) = ax.lines
    assert (line.get_color(), line.get_marker(), line.get_label()) == ("k", "^", "CNN")
    np.testing.assert_array_equal(line.get_xdata(), history["seconds"])
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("training time (seconds)", "accuracy")


def test_draws_on_the_current_axes(history, ax):
    plt.sca(ax)
    assert plot_history(history) is ax


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"y": "speed"}, "no column for 'speed'"),
        ({"x": "hour"}, "no column for 'hour'"),
        ({"label": "both"}, "label needs one column"),
    ],
)
def test_history_bad_input(history, ax, arguments, message):
    with pytest.raises(ValueError, match=message):
        plot_history(history, ax=ax, **arguments)


@pytest.mark.parametrize("shape", [(5, 4, 6), (5, 1, 4, 6), (5, 3, 4, 6)])
def test_images_are_drawn_in_order(shape):
    images = torch.rand(shape)
    axes = plot_images(images, titles=list("abcde"), columns=2)
    assert [ax.get_title() for ax in axes] == list("abcde")
    for image, ax in zip(images, axes, strict=True):
        drawn = np.asarray(ax.images[0].get_array())
        expected = image if image.ndim == 2 else image.permute(1, 2, 0).squeeze(-1)
        np.testing.assert_allclose(drawn.squeeze(), expected, rtol=1e-6)
    rows = {round(ax.get_subplotspec().rowspan.start) for ax in axes}
    assert rows == {0, 1, 2}
    assert len(axes[0].figure.axes) == 6 and not axes[0].figure.axes[5].axison
    plt.close("all")


def test_uint8_and_value_range():
    (ax,) = plot_images(np.full((1, 2, 2), 255, dtype=np.uint8), size=2, vmin=-1, cmap="magma")
    image = ax.images[0]
    assert np.asarray(image.get_array()).max() == 1.0
    assert image.get_clim() == (-1.0, 1.0) and image.get_cmap().name == "magma"
    assert ax.figure.get_size_inches()[0] == 2
    plt.close("all")


@pytest.mark.parametrize("shape", [(4,), (2, 2, 3, 3), (0, 3, 3)])
def test_images_of_other_shapes_are_refused(shape):
    with pytest.raises(ValueError, match="images must be"):
        plot_images(torch.zeros(shape))


def test_titles_must_be_one_an_image():
    with pytest.raises(ValueError, match="one an image: 2, not 1"):
        plot_images(torch.zeros(2, 3, 3), titles=["a"])
