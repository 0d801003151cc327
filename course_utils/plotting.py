"""Plots that several lessons draw: a training history, a row of images.

Every function draws on the axes it is given, returns axes, and sets no global style: titles,
limits and `plt.show()` stay with the lesson.
"""

import math

import matplotlib.pyplot as plt
import numpy as np
import torch

# One color per meaning through the whole course, from the Okabe-Ito palette, which color-blind
# readers can tell apart; lines differ in style and marker too, since colors may be lost in print.
COLORS = {
    "train": "#0072B2",
    "val": "#D55E00",
    "function": "#0072B2",
    "derivative": "#E69F00",
    "path": "#D55E00",
    "truth": "#000000",
    "data": "#56B4E9",
    "reference": "#7F7F7F",
    "fully_connected": "#E69F00",
    "cnn": "#009E73",
    "pooled": "#CC79A7",
}
PARTS = {"train": {"linestyle": "-", "marker": "o"}, "val": {"linestyle": "--", "marker": "s"}}


def plot_history(history, y="loss", *, x="epoch", label=None, ax=None, **line):
    """Plot one quantity of a training history, training and validation together.

    Args:
        history: DataFrame as `train` returns it, one row an epoch.
        y: a quantity, such as "loss", whose columns `train_loss` and `val_loss` are drawn, or one
            column by its full name, such as "val_accuracy".
        x: the column on the horizontal axis, "epoch" or "seconds".
        label: name in the legend, for one column only; by default the column's name.
        ax: axes to draw on, by default the current ones.
        **line: seaborn's line options, such as `color`, `linestyle`, `marker`; they override
            the course's own for training and validation.

    Returns:
        The axes.

    Raises:
        ValueError: if `history` has no such column, or `label` is given for two lines.

    Example:
        >>> import pandas as pd
        >>> history = pd.DataFrame({"epoch": [1, 2], "train_loss": [0.9, 0.5]})
        >>> plot_history(history).get_ylabel()
        'loss'

    From IDL 2.4.2, where every result is a data frame with one row an epoch.
    """
    import seaborn as sns  # slow, and workers that import the course draw nothing

    columns = [y] if y in history else [f"{part}_{y}" for part in PARTS]
    columns = [column for column in columns if column in history]
    for name in [x] if columns else [y]:
        if name not in history:
            raise ValueError(f"history has no column for {name!r}; it has {list(history.columns)}")
    if label is not None and len(columns) > 1:
        raise ValueError(f"label needs one column, but y={y!r} draws {columns}")
    ax = ax or plt.gca()
    for column in columns:
        part = column.split("_")[0]
        style = PARTS.get(part, {"marker": "o"}) | {"color": COLORS.get(part)} | line
        name = label or column.replace("_", " ")
        sns.lineplot(history, x=x, y=column, label=name, ax=ax, estimator=None, **style)
    ax.set(xlabel="training time (seconds)" if x == "seconds" else x)
    ax.set(ylabel=y.removeprefix("train_").removeprefix("val_").replace("_", " "))
    if x == "epoch":
        ax.xaxis.get_major_locator().set_params(integer=True)
    ax.legend()
    return ax


def plot_images(images, titles=None, *, columns=8, size=1.2, vmin=0.0, vmax=1.0, cmap="gray"):
    """Draw images in rows, each with its title.

    Args:
        images: tensor or array of shape (N, H, W), (N, 1, H, W) or (N, 3, H, W), uint8 in 0..255
            or floats between `vmin` and `vmax`.
        titles: N texts, or None.
        columns: images in a row.
        size: width of one image in inches.
        vmin, vmax: the values drawn black and white, for images of one channel.
        cmap: colormap for images of one channel.

    Returns:
        Array of the N axes, in the images' order.

    Raises:
        ValueError: if the shape is none of these, or the titles are not N.

    Example:
        >>> len(plot_images(torch.zeros(3, 1, 28, 28), titles=["a", "b", "c"]))
        3
    """
    images = torch.as_tensor(images).detach().cpu()
    if images.ndim == 3:
        images = images.unsqueeze(1)  # (N, H, W) -> (N, 1, H, W)
    if images.ndim != 4 or images.shape[1] not in (1, 3) or len(images) == 0:
        shape = tuple(images.shape)
        raise ValueError(f"images must be (N, H, W) or (N, C, H, W), C 1 or 3, N > 0; got {shape}")
    if titles is not None and len(titles) != len(images):
        raise ValueError(f"titles must be one an image: {len(images)}, not {len(titles)}")
    if images.dtype == torch.uint8:
        images = images / 255
    columns = min(columns, len(images))
    rows = math.ceil(len(images) / columns)
    height = size + (0.3 if titles is not None else 0.05)
    _, axes = plt.subplots(
        rows, columns, figsize=(columns * size, rows * height), squeeze=False, layout="constrained"
    )
    for ax in axes.flat:
        ax.axis("off")
    for i, (image, ax) in enumerate(zip(images, axes.flat, strict=False)):
        # matplotlib wants channels last: (C, H, W) -> (H, W, C)
        ax.imshow(image.permute(1, 2, 0).numpy(), vmin=vmin, vmax=vmax, cmap=cmap)
        if titles is not None:
            ax.set_title(str(titles[i]), fontsize=9)
    return np.array(axes.flat[: len(images)])
