"""The figures of a dataset card: PNGs without a ground of their own, to be read on a white page and on a dark one."""

from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

if TYPE_CHECKING:  # matplotlib is slow to import; the command line should not wait for it
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FIGURES = {
    "accuracy.png": "Accuracy of the models by generation",
    "funnel.png": "From questions to examples",
    "pass_rate.png": "How many questions have which pass rate",
    "lengths.png": "Lengths of the rationales by origin",
}
"""The files that :func:`draw` may write, in the order to show them, with what each shows."""

TEXT = "#757575"
COLORS = ("#1e76d2", "#bf560a", "#138742", "#a153c6", "#db3250", "#0f8383", "#88740f", "#a76448")
"""All of one luminance, about 0.178: a contrast of 4.5:1 and more on white, and of 4:1 and more on #0d1117. That is as
much as one tone can have on both, so lines differ by marker and stroke as well as by colour."""

LINES = (("-", "o"), ("--", "s"), (":", "^"), ("-.", "D"), ("--", "v"), (":", "P"), ("-.", "X"), ("-", "*"))

STYLE: dict[Any, Any] = {
    "font.family": "DejaVu Sans",  # comes with matplotlib, so that every machine draws the same
    "font.size": 11,
    "text.parse_math": False,  # a $ in a corpus's own words is a dollar
    "text.color": TEXT,
    "axes.labelcolor": TEXT,
    "axes.edgecolor": TEXT,
    "axes.titlecolor": TEXT,
    "axes.titlesize": 11,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.color": TEXT,
    "ytick.color": TEXT,
    "legend.frameon": False,
    "figure.constrained_layout.use": True,
}

WIDTH, DPI = 7.6, 200
"""Inches, and dots an inch: twice the width of a card's column, for screens of double density."""

MOST_GROUPS = 6
"""Difficulty groups that are drawn as lines; more could not be told apart."""

BARS = 40
"""Bars that the lengths of rationales are gathered into."""


def draw(folder: Path, manifest: dict[str, Any], rollouts: pl.LazyFrame, examples: pl.LazyFrame) -> None:
    """Draw the figures of one generation. One without data is not drawn. The same inputs make the same bytes.

    Args:
        folder: where the files of :data:`FIGURES` go; made if there is anything to draw.
        manifest: the manifest of the generation; of its facts ``accuracy`` and ``funnel`` are drawn.
        rollouts: the rollouts table; of it ``pass_rate`` is read.
        examples: the examples table; of it ``origin`` and ``rationale`` are read. Both are read as a stream, so what
            stays in memory does not grow with the rows.
    """
    import matplotlib

    facts = manifest["facts"]
    figures: dict[str, Callable[[], Figure | None]] = {
        "accuracy.png": lambda: _accuracy(facts.get("accuracy", [])),
        "funnel.png": lambda: _funnel(facts.get("funnel", [])),
        "pass_rate.png": lambda: _pass_rate(rollouts),
        "lengths.png": lambda: _lengths(examples),
    }
    with matplotlib.rc_context():
        matplotlib.rcdefaults()  # a matplotlibrc of the machine must not show
        matplotlib.rcParams.update(STYLE)
        for name, make in figures.items():
            if figure := make():
                folder.mkdir(exist_ok=True)
                _save(figure, folder / name)


def _save(figure: "Figure", path: Path) -> None:
    """Every pixel is one of the tones at one of 16 opacities: a third of the bytes, and no tone is mixed of others."""
    import numpy as np
    from PIL import Image

    raw = BytesIO()
    figure.savefig(raw, format="rgba", dpi=DPI, transparent=True)
    pixels = np.frombuffer(raw.getbuffer(), np.uint8).reshape(-1, round(WIDTH * DPI), 4).astype(np.int32)
    tones = np.array([[int(tone[at : at + 2], 16) for at in (1, 3, 5)] for tone in (TEXT, *COLORS)])
    nearest = np.argmin([((pixels[:, :, :3] - tone) ** 2).sum(axis=2) for tone in tones], axis=0)
    opacity = (pixels[:, :, 3] + 8) // 17
    image = Image.fromarray((16 * nearest + opacity).astype(np.uint8))
    image.putpalette(np.repeat(tones, 16, axis=0).astype(np.uint8).tobytes())
    image.save(path, optimize=True, transparency=bytes(range(0, 256, 17)) * len(tones))


def _axes(height: float, columns: int = 1) -> "tuple[Figure, list[Axes]]":
    """Without pyplot, which keeps a state for the whole process and looks for a display."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(WIDTH, height))
    return figure, list(figure.subplots(1, columns, squeeze=False, sharey=True)[0])


def _accuracy(measured: list[dict[str, Any]]) -> "Figure | None":
    """Accuracy by generation, by difficulty too if the groups are few; RISE's figures beside it."""
    if not any(one["accuracy"] is not None for one in measured):
        return None
    groups = list(dict.fromkeys(group for one in measured for group in one.get("by_difficulty", {})))
    curves = {"all questions": [one["accuracy"] for one in measured]}
    if len(groups) <= MOST_GROUPS:
        curves |= {group: [one.get("by_difficulty", {}).get(group) for one in measured] for group in groups}
    turns = list(dict.fromkeys(name for one in measured for name in one if "@t" in name))
    figure, axes = _axes(3.6, columns=2 if turns else 1)
    generations = [one["generation"] for one in measured]
    most = 2 if turns else 4
    _draw_curves(axes[0], generations, curves, most)
    axes[0].set_ylabel("accuracy, %")
    if turns:
        _draw_curves(axes[1], generations, {name: [one.get(name) for one in measured] for name in turns}, most)
        axes[0].set_title("one answer", loc="left")
        axes[1].set_title("several turns or answers", loc="left")
    return figure


def _draw_curves(axes: "Axes", generations: list[int], curves: dict[str, list[float | None]], most: int) -> None:
    """Lines of fractions of 1, the first of them the widest; the legend has at most ``most`` names a row."""
    from matplotlib.ticker import MaxNLocator

    for number, (name, shares) in enumerate(curves.items()):
        stroke, marker = LINES[number % len(LINES)]
        percents = [float("nan") if share is None else 100 * share for share in shares]
        color, width = COLORS[number % len(COLORS)], 1.4 if number else 2.4
        axes.plot(generations, percents, stroke, color=color, marker=marker, linewidth=width, label=name)
    axes.set_ylim(-3, 103)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    axes.set_xlabel("generation")
    axes.grid(axis="y", color=TEXT, alpha=0.25)
    rows = -(-len(curves) // most)
    _legend(axes, columns=-(-len(curves) // rows), below=-0.2)


def _legend(axes: "Axes", columns: int, below: float) -> None:
    """Under the axes: in them it would lie on the data, and beside them take a third of the width."""
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, below), ncols=columns, fontsize=10)


def _funnel(steps: list[dict[str, Any]]) -> "Figure | None":
    """Questions and examples; attempts, of which there may be many times more, would crush their bars."""
    drawn = [step for step in steps if step["count"] and step["what"].startswith(("questions", "examples"))]
    counts = {step["what"]: step["count"] for step in drawn if step["what"] != "examples reference"}  # given, not made
    if not counts:
        return None
    figure, (axes,) = _axes(0.6 + 0.34 * len(counts))
    bars = axes.barh(list(counts), list(counts.values()), color=COLORS[0], height=0.66)
    axes.bar_label(bars, [f"{count:,}" for count in counts.values()], padding=4)
    axes.invert_yaxis()
    axes.set_xticks([])
    axes.set_xlim(0, 1.14 * max(counts.values()))  # room for the last number
    axes.tick_params(left=False)
    axes.spines[["bottom", "left"]].set_visible(False)
    return figure


def _pass_rate(rollouts: pl.LazyFrame) -> "Figure | None":
    """A bar each for none and for all correct, and one for every ten percent between."""
    from matplotlib.ticker import MaxNLocator

    rate = pl.col("pass_rate")
    tenth = (rate * 10 + 1e-5).floor().cast(pl.Int32)  # the rates are 32 bits wide: 0.7 * 10 is less than 7
    bar = pl.when(rate == 0).then(0).when(rate == 1).then(11).otherwise(1 + tenth)
    counted = rollouts.drop_nulls("pass_rate").group_by(bar=bar).len().collect(engine="streaming")
    if counted.is_empty():
        return None
    questions = dict(counted.iter_rows())
    figure, (axes,) = _axes(2.8)
    axes.bar(range(12), [questions.get(bar, 0) for bar in range(12)], color=COLORS[0], width=0.84)
    axes.set_xticks(range(12), ["0", "<10", *(f"{low}-{low + 9}" for low in range(10, 100, 10)), "100"], fontsize=9)
    axes.set_xlabel("pass rate, % (correct of the attempts without a hint)")
    axes.set_ylabel("questions")
    axes.yaxis.set_major_locator(MaxNLocator("auto", integer=True))
    axes.yaxis.set_major_formatter("{x:,.0f}")
    return figure


def _lengths(examples: pl.LazyFrame) -> "Figure | None":
    """Of each origin the share of its examples that have a length; the longest 1% of all are in the last bar."""
    length = pl.col("rationale").str.len_chars().cast(pl.Int64)
    counted = examples.group_by("origin", length=length).len().collect(engine="streaming").sort("length")
    if counted.is_empty():
        return None
    below = counted.select("length", share=pl.col("len").cum_sum() / pl.col("len").sum())
    longest = below.filter(pl.col("share") >= 0.99)["length"][0]
    width = max(1, -(-(longest + 1) // BARS))
    bars = longest // width + 1
    bar = (pl.col("length") // width).clip(upper_bound=bars - 1)
    shares = counted.group_by("origin", bar=bar).agg(pl.col("len").sum())
    figure, (axes,) = _axes(2.8)
    for number, origin in enumerate(sorted(counted["origin"].unique())):
        found = dict(shares.filter(pl.col("origin") == origin).select("bar", "len").iter_rows())
        percents = [100 * found.get(bar, 0) / sum(found.values()) for bar in range(bars)]
        edges = [width * edge for edge in range(bars + 1)]
        label = f"{origin} ({sum(found.values()):,})"
        axes.stairs(percents, edges, color=COLORS[number], linestyle=LINES[number][0], linewidth=1.8, label=label)
    axes.set_xlabel("characters of a rationale (longer ones: last bar)")
    axes.set_ylabel("% of the origin")
    axes.set_ylim(bottom=0)
    _legend(axes, columns=4, below=-0.26)
    return figure
