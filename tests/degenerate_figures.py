"""Figures of numbers at their limits, and the laws that a figure keeps whatever is drawn on it."""

import warnings
from functools import partial
from itertools import combinations

import numpy as np
import pandas as pd
from matplotlib.text import Text
from mpl_toolkits.mplot3d.art3d import Text3D

from ae_cluster import figures as f
from ae_cluster.figures import cluster_examples, in_style
from ae_cluster.metrics.clustering import class_map, confusion_matrix

LONG = "a class whose name somebody wrote out in full, with spaces {}"  # 60 characters
WORDS = "AClustererWhoseAuthorWroteItsWholeNameWithoutAnySingleSpace{:02d}"
TINY = 0.5  # pixels

# Rows

METHODS = ("knn", "logreg", "gmm", "kmeans")


def scored(accuracy, methods=METHODS, budgets=(1, 10, 100), draws=3, seeds=1, dataset="digits"):
    """Return rows as of a grid; ``accuracy`` takes method, size and draw by number."""
    return pd.DataFrame(
        {
            "dataset": dataset, "split": "test", "status": "ok", "reason": None, "draw": d,
            "seed": s, "budget": b, "features": "autoencoder", "method": method, "n_clusters": 10,
            "n_components": 3, "n_train": 1000, "epochs": 10, "mse": 0.04,
            "accuracy": accuracy(m, i, d + s), "seconds": 10.0 ** (m % 4), "peak_mb": 100.0,
            "uses_k": True, "uses_balance": False, "uses_augmentation": False,
            "tuned_on": "nothing",
        }
        for m, method in enumerate(methods) for i, b in enumerate(budgets)
        for d in range(draws) for s in range(seeds)
    )  # fmt: skip


def ones(*_):
    return 1.0


def zeros(*_):
    return 0.0


def usual(m, i, d):
    return 0.3 + 0.15 * i + 0.02 * m + 0.01 * d


def one_always(m, i, d):
    """Return 1 for one method, and .5 to .99 for the others."""
    return 1.0 if m == 0 else 0.5 + 0.23 * i + 0.01 * d


ROWS = {
    "all-one": partial(scored, ones),
    "all-zero": partial(scored, zeros),
    "one-always-right": partial(scored, one_always),
    "one-or-nothing": partial(scored, lambda m, *_: float(m % 2)),
    "one-size": partial(scored, usual, budgets=(10,)),
    "one-size-all-one": partial(scored, ones, budgets=(10,)),
    "one-way-one-seed": partial(scored, usual, methods=METHODS[:1], budgets=(10,), draws=1),
    "forty-ways": partial(scored, usual, methods=[f"method-{i}" for i in range(40)]),
    "long-names": partial(scored, usual, methods=[WORDS.format(i) for i in range(6)]),
    "hundred-sizes": partial(scored, lambda *_: 0.7, budgets=range(1, 101), draws=1),
}


def of_seeds(rows, column=None):
    """Return rows of label budgets as rows of clusterings: draws are seeds, sizes ``column``."""
    rows = rows.assign(seed=rows["draw"])
    if column is None:
        rows = rows[rows["budget"] == rows["budget"].max()]
    else:
        rows = rows.assign(**{column: rows["budget"]})
    return rows.assign(budget=np.nan)


def budget(rows):
    return f.plot_label_budget(rows)


def budget_with_all(rows):
    references = {"all labels, 10 neighbours": 1.0, LONG.format("0"): 0.0}
    published = {LONG.format("1") + ", published": {1: 1.0, 10: 0.9}}
    return f.plot_label_budget(rows, references, published=published, title=LONG * 3)


def on_many_data(rows, plot=f.plot_methods):
    names = ("digits", LONG.format("of data"), "mnist", "fashion-mnist", "usps")
    return plot(pd.concat(of_seeds(rows).assign(dataset=name) for name in names))


def stages(rows):
    rows = of_seeds(rows)
    order = {name: i + 1 for i, name in enumerate(dict.fromkeys(rows["method"]))}
    named = [f"{order[name]} {name}, code" for name in rows["method"]]
    return f.plot_stages(rows.assign(method=named), title="What each stage buys")


OF_ROWS = {
    "label-budget": budget,
    "label-budget-with-all": budget_with_all,
    "methods": lambda rows: f.plot_methods(of_seeds(rows)),
    "methods-many-data": on_many_data,
    "pareto": lambda rows: f.plot_pareto(of_seeds(rows)),
    "code-size": lambda rows: f.plot_code_sizes(of_seeds(rows, "n_components")),
    "training-epochs": lambda rows: f.plot_training_curve(of_seeds(rows, "epochs")),
    "training-images": lambda rows: f.plot_training_curve(of_seeds(rows, "n_train"), "n_train"),
    "stages": stages,
}

# Arrays


def sorted_samples(n=240, classes=3, k=3, names=(), size=3, features=36, seed=0):
    """Return codes, samples, labels, clusters and names; the first of each cluster is typical."""
    rng = np.random.default_rng(seed)
    labels, clusters = np.arange(n) % classes, np.arange(n) % k
    codes = rng.normal(size=(n, size)) + 5 * (clusters[:, None] % 7)
    return codes, rng.random((n, features)), labels, clusters, tuple(names)


def collapsed(**changes):
    codes, *rest = sorted_samples(**changes)
    return np.zeros_like(codes), *rest


NAMES = [LONG.format(i) for i in range(40)]
ARRAYS = {
    "usual": sorted_samples,
    "one-class": partial(sorted_samples, classes=1, k=1, names=NAMES[:1]),
    "forty-classes": partial(sorted_samples, classes=40, k=40),
    "forty-long-names": partial(sorted_samples, classes=40, k=40, names=NAMES),
    "hundred-clusters": partial(sorted_samples, n=400, k=100),
    "hundred-clusters-forty-names": partial(sorted_samples, n=400, classes=40, k=100, names=NAMES),
    "one-sample-a-cluster": partial(sorted_samples, n=12, classes=2, k=12),
    "one-sample": partial(sorted_samples, n=1, classes=1, k=1),
    "collapsed": partial(collapsed, n=60),
    "ten-numbers": partial(sorted_samples, size=10),
    "one-number": partial(sorted_samples, size=1, names=NAMES[:3]),
    "two-numbers": partial(sorted_samples, size=2, names=NAMES[:3]),
}


def confusion(codes, samples, labels, clusters, names):  # noqa: ARG001
    return f.plot_confusion(*confusion_matrix(labels, clusters), names)


def sheet(codes, samples, labels, clusters, names):
    mapping = class_map(np.roll(labels, 1), clusters)  # so that some are wrong
    examples = cluster_examples(codes, clusters, None, labels, mapping)
    return f.plot_cluster_images(samples, (6, 6), examples, labels, names)


def profiles(codes, samples, labels, clusters, names):  # noqa: ARG001
    return f.plot_cluster_profiles(samples, clusters, NAMES[:36] if names else ())


OF_ARRAYS = {
    "codes": lambda codes, _, labels, clusters, names: f.plot_codes(codes, labels, clusters, names),
    "tiles": lambda codes, _, labels, clusters, names: f.plot_code_tiles(
        codes, labels, clusters, names
    ),
    "confusion": confusion,
    "sheet": sheet,
    "profiles": profiles,
}

# What is drawn of neither


def rebuilt(n, steps, shape, features=36):
    rng = np.random.default_rng(0)
    return partial(
        f.plot_reconstructions, rng.random((n, features)), rng.random((len(steps), n, features)),
        steps, shape,
    )  # fmt: skip


def ranked(n_methods):
    """Return scores of methods with long names on 20 data sets."""
    names = [LONG.format(i) for i in range(n_methods)]
    return pd.DataFrame(np.random.default_rng(0).random((20, n_methods)), columns=names)


KINDS = "stability", "BIC", "persistence", "information", "silhouette", "gap"
SURE = "Two of six kinds of evidence put it first, three put it among their first three."


def numbers(wanted, scale=1.0):
    """Return evidence of every kind for some numbers of clusters."""
    return {kind: {k: scale * np.sin(k + i) for k in wanted} for i, kind in enumerate(KINDS)}


OTHERS = {
    "loss-zero": partial(f.plot_loss_curve, [0.0] * 5, [0.0] * 5),
    "loss-level": partial(f.plot_loss_curve, [0.3] * 500),
    "loss-of-one-epoch": partial(f.plot_loss_curve, [1e-9]),
    "loss-wide": partial(f.plot_loss_curve, np.geomspace(1e12, 1e-12, 50), [1.0] * 50),
    "rebuilt-one": rebuilt(1, [1], (6, 6)),
    "rebuilt-many": rebuilt(30, [0, 10, 10**9], (6, 6)),
    "rebuilt-wide": rebuilt(8, [1, 30], (1, 36)),
    "rebuilt-tall": rebuilt(8, range(1, 100), (36, 1)),
    "rebuilt-table": rebuilt(1, range(6), None, 400),
    "rebuilt-column": rebuilt(3, [5], None, 1),
    "label-sheet-one": lambda: f.plot_label_sheet(np.eye(36)[:1], (6, 6), NAMES[:1], "t.csv"),
    "label-sheet-wide": lambda: f.plot_label_sheet(np.eye(36), (1, 36), NAMES[:36], "t.csv"),
    "label-sheet-tall": lambda: f.plot_label_sheet(np.eye(36), (36, 1), NAMES[:36], "t.csv"),
    "ranks": lambda: f.plot_ranks(ranked(11), score="AMI", title="Ranks"),
    "ranks-tied": lambda: f.plot_ranks(ranked(40) * 0, score="AMI", title="Ranks"),
    "ranks-two": lambda: f.plot_ranks(ranked(2), score="AMI", title="Ranks"),
    "numbers": lambda: f.plot_n_clusters(numbers(range(2, 41)), (10, 15, 3), SURE, LONG),
    "numbers-level": lambda: f.plot_n_clusters(numbers(range(2, 9), 0), (2, 5), SURE),
    "numbers-wide": lambda: f.plot_n_clusters(numbers(range(2, 101), 1e12), (100, 50), SURE),
    "numbers-one": lambda: f.plot_n_clusters(numbers([2]), (1,), SURE),
    "no-rows": lambda: f.plot_methods(of_seeds(scored(lambda *_: np.nan))),
    "noise-only": lambda: f.plot_cluster_profiles(np.eye(5), np.full(5, -1)),
}

CASES = {
    **{f"{name} {case}": lambda plot=plot, rows=rows: plot(rows())
       for name, plot in OF_ROWS.items() for case, rows in ROWS.items()},
    **{f"{name} {case}": lambda plot=plot, arrays=arrays: plot(*arrays())
       for name, plot in OF_ARRAYS.items() for case, arrays in ARRAYS.items()},
    **OTHERS,
}  # fmt: skip


# The laws


def broken(figure):
    """Return a sentence for each law that a figure breaks as it is drawn."""
    with warnings.catch_warnings(), in_style():
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        figure.draw_without_rendering()
    return [*outside_the_canvas(figure), *on_the_axes(figure), *outside_the_view(figure),
            *on_each_other(figure)]  # fmt: skip


def written(figure):
    """Return every text that is seen, tick labels among them."""
    ticks, of_ticks = [], set()
    for ax in figure.axes:
        for axis in ax._axis_map.values():
            every = [t for tick in [*axis.majorTicks, *axis.minorTicks]
                     for t in (tick.label1, tick.label2)]  # fmt: skip
            of_ticks |= set(map(id, every))
            if ax.axison and ax.get_visible():
                ticks += [t for tick in axis._update_ticks() for t in (tick.label1, tick.label2)]
    others = [text for text in figure.findobj(Text)
              if id(text) not in of_ticks and not isinstance(text, Text3D)]  # fmt: skip
    hidden = {id(text) for ax in figure.axes if not ax.axison
              for axis in ax._axis_map.values() for text in axis.findobj(Text)}  # fmt: skip
    seen = [t for t in others + ticks if t.get_visible() and id(t) not in hidden]
    return [text for text in seen if text.get_text().strip()]


def outside_the_canvas(figure):
    canvas = figure.bbox
    legends = [*figure.legends, *(ax.get_legend() for ax in figure.axes)]
    for artist in [*written(figure), *filter(None, legends)]:
        box = artist.get_window_extent()
        if (box.x0 < canvas.x0 - TINY or box.y0 < canvas.y0 - TINY
                or box.x1 > canvas.x1 + TINY or box.y1 > canvas.y1 + TINY):  # fmt: skip
            said = artist.get_text()[:30] if isinstance(artist, Text) else "the legend"
            yield f"{said!r} is cut at the edge: {box.extents.round()} of {canvas.extents}"


def on_the_axes(figure):
    """Say where title or caption lie over axes, their labels included, or over a legend."""
    for text in (figure._suptitle, figure._supxlabel):
        box = text.get_window_extent()
        for ax in figure.axes:
            if overlap(box, ax.get_tightbbox()):  # its own legend among what it holds
                yield f"{text.get_text()[:30]!r} lies over axes"
        for legend in figure.legends:
            if overlap(box, legend.get_window_extent()):
                yield f"{text.get_text()[:30]!r} lies over the legend"
    for ax in figure.axes:
        frame = ax.get_window_extent()
        if min(frame.width, frame.height) < 8 or max(frame.width, frame.height) < 40:
            yield f"axes are too small: {frame.extents.round()}"


def overlap(a, b):
    return (min(a.x1, b.x1) - max(a.x0, b.x0) > TINY) and (min(a.y1, b.y1) - max(a.y0, b.y0) > TINY)


def outside_the_view(figure):
    """Say which points of lines, dots and bars lie outside the axes' limits."""
    for ax in figure.axes:
        if ax.name == "3d" or not ax.axison:
            continue
        frame = ax.get_window_extent()
        for kind, points in drawn_points(ax):
            low = points < [frame.x0 - TINY, frame.y0 - TINY]
            high = points > [frame.x1 + TINY, frame.y1 + TINY]
            if (low | high).any() or not np.isfinite(points).all():
                yield f"{kind} lie outside the axes: {points[(low | high).any(axis=1)][:2]}"


def drawn_points(ax):
    """Yield the points of lines, collections and bars, in pixels."""
    for line in ax.lines:
        data = np.asarray(line.get_xydata(), dtype=float).reshape(-1, 2)
        if len(data):
            yield "lines", line.get_transform().transform(data[np.isfinite(data).all(axis=1)])
    for found in ax.collections:
        offsets = np.asarray(np.ma.filled(found.get_offsets(), np.nan), dtype=float)
        if found.get_offset_transform() == ax.transData and len(offsets):
            yield "dots", ax.transData.transform(offsets[np.isfinite(offsets).all(axis=1)])
        elif hasattr(found, "get_segments"):
            for segment in found.get_segments():
                points = np.reshape(segment, (-1, 2))
                kept = points[np.isfinite(points).all(axis=1)]
                yield "bars", found.get_transform().transform(kept)


def on_each_other(figure):
    """Say which labels of an axis's ticks overlap, which nobody can read."""
    for ax in figure.axes:
        if not ax.axison or ax.name == "3d":
            continue
        for axis in (ax.xaxis, ax.yaxis):
            texts = [t.label1 for t in axis._update_ticks()]
            texts = [t for t in texts if t.get_visible() and t.get_text().strip()]
            if ax.lines and not texts:
                yield f"the axis {axis.get_label_text()!r} has no number"
            boxes = [t.get_window_extent() for t in texts]
            for (a, b), (one, other) in zip(
                combinations(boxes, 2), combinations(texts, 2), strict=True
            ):
                if overlap(a, b):
                    yield f"tick labels {one.get_text()!r} and {other.get_text()!r} overlap"
                    break
