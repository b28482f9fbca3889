"""One look for every figure: colours, type, titles, captions, and how they are written to files."""

from __future__ import annotations

import textwrap
import warnings
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import matplotlib.style
import numpy as np
from matplotlib import font_manager
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter
from numpy.typing import NDArray

from ae_cluster.common.files import make_folder, written_beside
from ae_cluster.common.global_state import default_state
from ae_cluster.common.numbers import NOTHING
from ae_cluster.common.texts import visible

ENDINGS = (".png", ".svg", ".txt")

# Ten levels of lightness (CIELAB L* 20 to 84 in steps of 7), so the colours stay
# apart in black and white; the hues were searched so that any two are at least
# 26 CIELAB units apart for normal sight and for simulated protan, deutan and
# tritan sight (Machado et al. 2009).
PALETTE = (
    "#4b4ce1",
    "#f0b089",
    "#5e1033",
    "#64b8bc",
    "#7d8d05",
    "#4b307e",
    "#ba7ded",
    "#285c1c",
    "#af586e",
    "#b6e13c",
)
NEUTRAL = "#9a9a9a"
N_COLORS = 3 * len(PALETTE)  # as they are, paler and darker

# Lines that are compared differ in marker and dash as well as in colour.
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*", "<", ">")
DASHES = ("-", "--", "-.", ":")

# matplotlib's own font has no Chinese, Japanese or Korean; use what is installed.
_EAST_ASIAN_FONTS = (
    "Noto Sans CJK SC",
    "Noto Sans CJK JP",
    "Noto Sans SC",
    "Noto Sans JP",
    "Noto Sans KR",
    "Source Han Sans SC",
    "PingFang SC",
    "Hiragino Sans GB",
    "Microsoft YaHei",
    "Apple SD Gothic Neo",
    "Malgun Gothic",
    "Yu Gothic",
    "WenQuanYi Zen Hei",
    "WenQuanYi Micro Hei",
    "Droid Sans Fallback",
    "AR PL UMing CN",
    "SimHei",
    "Arial Unicode MS",
)
_INSTALLED = set(font_manager.fontManager.get_font_names())

STYLE: dict[str, Any] = {
    "font.family": ["DejaVu Sans", *(f for f in _EAST_ASIAN_FONTS if f in _INSTALLED)],
    "font.size": 9,
    "axes.labelsize": 9,
    "axes.titlesize": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": False,
    "grid.color": "#dddddd",
    "grid.linewidth": 0.6,
    "lines.linewidth": 1.6,
    "lines.markersize": 5,
    "legend.frameon": False,
    "legend.fontsize": 8.5,
    "xtick.labelsize": 8.5,
    "ytick.labelsize": 8.5,
    "figure.constrained_layout.h_pad": 0.08,
    "figure.constrained_layout.w_pad": 0.08,
    "svg.fonttype": "path",
    "svg.hashsalt": "ae_cluster",
}


@contextmanager
def in_style() -> Iterator[None]:
    """Draw with matplotlib's defaults plus ours, whatever the user has set.

    As ``with in_style():`` or above a function as ``@in_style()``.
    """
    with (
        default_state(),
        matplotlib.style.context(["default", STYLE]),
        warnings.catch_warnings(),
    ):
        # A letter that no installed font has is drawn as a box; the rest still reads.
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        yield


_CAPTION_SIZE = 9
_CAPTION_CHARACTERS_PER_INCH = 14.5
_TITLE_CHARACTERS_PER_INCH = 9.5
_LEGEND_INCHES = 3.6  # of a legend with names of up to 47 letters
_ENTRY_INCHES, _LETTER_INCHES = 0.19, 0.066  # of a legend's line, and of a letter in it
_MOST_ENTRIES = 40  # below each other
_BESIDE, _TOO_FAR = 0.02, 0.045  # beside 0 and 1, where no score lies
_MOST_DECADES = 1e6
_PNG_DPI = 150
_SVG_DPI = 96  # of the parts that are pixels: images and clouds of points


def plain(text: object, width: int = 16) -> str:
    r"""Make a name from the user's data safe and short enough to be drawn.

    ``$`` never starts mathematics, control characters and line breaks become
    spaces, and more than ``width`` characters end in an ellipsis.

    >>> plain("cost in US$ or A$\n(estimated)", width=20)
    'cost in US\\$ or A\\$ (…'
    """
    short = _in_a_line(text)
    return _drawable(short if len(short) <= width else short[: width - 1] + "…")


def cut_in_middle(text: object, width: int = 16) -> str:
    """Make a name safe and short as `plain` does, and keep its start and more of its end.

    >>> cut_in_middle("part_of_the_machine_000123.png")
    'part_…000123.png'
    """
    name = _in_a_line(text)
    head = width // 3
    return _drawable(name if len(name) <= width else f"{name[:head]}…{name[head + 1 - width :]}")


def short_names(names: Sequence[object], width: int = 16) -> list[str]:
    """Make names safe and short, and different names different: by their ends, else a number."""
    short = [plain(name, width) for name in names]
    for cut in (cut_in_middle, lambda name, width: plain(name, width - len(str(len(names))) - 1)):
        alike = _alike(names, short)
        short = [cut(n, width) if is_alike else s
                 for n, s, is_alike in zip(names, short, alike, strict=True)]  # fmt: skip
    numbers = {name: i + 1 for i, name in enumerate(dict.fromkeys(names))}
    return [f"{s} {numbers[n]}" if is_alike else s
            for n, s, is_alike in zip(names, short, _alike(names, short), strict=True)]  # fmt: skip


def _alike(names: Sequence[object], short: Sequence[str]) -> list[bool]:
    """Return of each name whether another one looks the same when it is short."""
    meant: dict[str, set[object]] = {}
    for name, text in zip(names, short, strict=True):
        meant.setdefault(text, set()).add(name)
    return [len(meant[text]) > 1 for text in short]


def _in_a_line(text: object) -> str:
    printable = "".join(c if c.isprintable() else " " for c in str(text))
    return " ".join(printable.split()) or NOTHING


def _drawable(name: str) -> str:
    if name.startswith("_"):  # matplotlib leaves such names out of legends
        name = " " + name
    return name.replace("$", r"\$")


def names_of(n: int, class_names: Sequence[str] = (), width: int = 16) -> list[str]:
    """Return drawable names for the ids 0 … n − 1; the id itself where there is no such name."""
    known = dict(enumerate(class_names[:n]))
    named = [i for i, name in known.items() if name not in undrawable((name,))]
    short = dict(zip(named, short_names([known[i] for i in named], width), strict=True))
    return [short.get(i, str(i)) for i in range(n)]


def undrawable(names: Iterable[str]) -> list[str]:
    """Return the names with a letter that no font in use has: drawn, they would be boxes."""
    return [
        name
        for name in names
        if any(c.isprintable() and not c.isspace() and ord(c) not in _letters() for c in name)
    ]


@cache
def _letters() -> frozenset[int]:
    """Return the code points of the letters that the fonts of `STYLE` have."""
    paths = [font_manager.findfont(family) for family in STYLE["font.family"]]
    return frozenset().union(*(font_manager.get_font(path).get_charmap() for path in paths))


def group_colors(n: int) -> NDArray[np.float64]:
    """Return ``n`` colours (n, 3): the palette, then paler, then darker rounds of it."""
    first = np.array([to_rgb(color) for color in PALETTE])
    rounds = np.concatenate([first, 0.5 * first + 0.5, 0.6 * first])
    return np.resize(rounds, (n, 3))


def ink_on(color: NDArray[np.float64]) -> str:
    """Return the text colour, black or white, that reads better on ``color`` (3,)."""
    red, green, blue = color
    return "black" if 0.299 * red + 0.587 * green + 0.114 * blue > 0.55 else "white"


def new_figure(width: float, height: float) -> Figure:
    """Return an empty figure of this size in inches that makes room for its own texts."""
    return Figure(figsize=(width, height), layout="constrained")


def captioned(figure: Figure, title: str, caption: str) -> Figure:
    """Put a title above and a caption, wrapped to the width, below; return the figure."""
    width = figure.get_figwidth()
    beside = width - (_LEGEND_INCHES if figure.legends else 0)  # which stands at the upper right
    lines = textwrap.wrap(title, int(beside * _TITLE_CHARACTERS_PER_INCH))
    heading = "\n".join(plain(line, len(line)) for line in lines)
    figure.suptitle(heading, x=0.01, ha="left", fontsize=12, fontweight="bold")
    wrapped = textwrap.fill(visible(caption), int(width * _CAPTION_CHARACTERS_PER_INCH))
    figure.supxlabel(wrapped, x=0.01, ha="left", fontsize=_CAPTION_SIZE, color="#333333")
    return figure


def room_for_legend(figure: Figure, names: Sequence[str]) -> int:
    """Make a figure large enough for a legend of these names; return how many columns it has."""
    columns = max(1, -(-len(names) // _MOST_ENTRIES))
    longest = max(map(len, names), default=0)
    wider = columns * (0.45 + _LETTER_INCHES * longest) - _LEGEND_INCHES
    figure.set_figwidth(figure.get_figwidth() + max(0.0, wider))
    tall = _ENTRY_INCHES * -(-len(names) // columns) + 1.6  # title and caption
    figure.set_figheight(max(figure.get_figheight(), tall))
    return columns


def within_its_range(axis: Axis, values: NDArray[np.generic]) -> None:
    """End an axis of scores between 0 and 1 a little beside these, since no score lies there."""
    low, high = axis.get_view_interval()
    if values.size and values.max() <= 1 < high - _TOO_FAR:
        high = 1 + _BESIDE
    if values.size and values.min() >= 0 > low + _TOO_FAR:
        low = -_BESIDE
    if axis is axis.axes.xaxis:
        axis.axes.set_xlim(low, high)
    else:
        axis.axes.set_ylim(low, high)


def thinned(ax: Axes, shape: tuple[int, ...]) -> str:
    """Return a sentence, to append, where not every row and column of a matrix has its label."""
    labels = [
        sum(bool(t.get_text()) for t in axis.get_ticklabels()) for axis in (ax.yaxis, ax.xaxis)
    ]
    lacking = [
        name for name, n, of in zip(("rows", "columns"), labels, shape, strict=True) if n < of
    ]
    return f" There are too many {' and '.join(lacking)} to label each." if lacking else ""


def nothing_to_draw(title: str, reason: str) -> Figure:
    """Return a figure that only says why there is nothing on it."""
    return captioned(new_figure(6, 1.2), title, reason)


def caption_of(figure: Figure) -> str:
    """Return the caption a ``plot_…`` function gave its figure, as one line of visible text."""
    return " ".join(visible(figure.get_supxlabel()).split())


def plain_log_ticks(axis: Axis) -> None:
    """Label a logarithmic axis 0.02, 0.05, 0.1 … instead of with powers of ten."""
    low, high = axis.get_view_interval()
    many = low > 0 and high / low > _MOST_DECADES  # which powers of ten have to do for
    axis.set_major_locator(LogLocator() if many else LogLocator(subs=(1, 2, 5)))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.set_minor_formatter(NullFormatter())


@in_style()
def save_figure(figure: Figure, folder: str | Path, name: str) -> list[Path]:
    """Write a figure as ``NAME.png``, ``NAME.svg`` and its caption as ``NAME.txt``.

    The same figure gives the same bytes: no date, no random ids.

    Parameters
    ----------
    figure : Figure
        As returned by a ``plot_…`` function.
    folder : path
        Made if it does not exist.
    name : str
        File name without an ending.

    Returns
    -------
    list of Path
        The three files.
    """
    folder = Path(folder)
    make_folder(folder)
    png, svg, text = (folder / f"{name}{ending}" for ending in ENDINGS)
    caption = caption_of(figure)
    about: dict[str, str | None] = {"Description": caption}
    with written_beside(png) as beside:
        figure.savefig(beside, format="png", dpi=_PNG_DPI, metadata=about)
    figure.set_layout_engine(None)  # found already: nothing is drawn only to find it again
    with written_beside(svg) as beside:
        figure.savefig(beside, format="svg", dpi=_SVG_DPI, metadata=about | {"Date": None})
    with written_beside(text) as beside:
        beside.write_text(caption + "\n", encoding="utf-8")
    return [png, svg, text]
