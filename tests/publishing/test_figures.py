"""The figures of a card are drawn from the tables, can be read on white and on dark, and never change by themselves."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from PIL import Image

from factory.publishing.card import figures
from factory.publishing.card.figures import COLORS, FIGURES, TEXT, draw
from tests.support.card_inputs import RISE, manifest
from tests.support.publishing import FACTS

RATES = [None, 0.0, 0.05, 0.1, 0.25, 0.7, 0.75, 1.0, 1.0]
LENGTHS = {"sampled": [3, 3, 8], "rationalized": [90], "reference": [1] * 96}
ROLLOUTS = pl.LazyFrame({"pass_rate": RATES}, schema={"pass_rate": pl.Float32})
EXAMPLES = pl.LazyFrame(
    [{"origin": origin, "rationale": length * "é"} for origin, lengths in LENGTHS.items() for length in lengths]
)


def drawn(folder: Path, facts: dict[str, Any], rollouts: pl.LazyFrame, examples: pl.LazyFrame) -> dict[str, bytes]:
    draw(folder, manifest(facts), rollouts, examples)
    return {path.name: path.read_bytes() for path in folder.glob("*")}


def test_figures_are_small_see_through_and_always_the_same(tmp_path: Path) -> None:
    once = drawn(tmp_path / "once", RISE, ROLLOUTS, EXAMPLES)
    assert once == drawn(tmp_path / "twice", RISE, ROLLOUTS, EXAMPLES)
    assert once.keys() == FIGURES.keys()
    for name, content in once.items():
        assert len(content) < 60_000
        with Image.open(tmp_path / "once" / name) as image:
            assert not image.info.keys() & {"Software", "Creation Time"}
            assert image.width == 1520
            colors = {color for _, color in image.convert("RGBA").getcolors(1 << 16)}
            assert image.convert("RGBA").getpixel((0, 0))[3] == 0
        solid = {"#{:02x}{:02x}{:02x}".format(*color[:3]) for color in colors if color[3] == 255}
        assert TEXT in solid
        assert len(solid) > 1
        assert solid <= {TEXT, *COLORS}


def test_what_has_no_data_is_not_drawn(tmp_path: Path) -> None:
    folder = tmp_path / "figures"
    unmeasured = {"accuracy": [{"generation": 0, "accuracy": None}]}
    assert drawn(folder, unmeasured, ROLLOUTS.filter(pl.col("pass_rate").is_null()), EXAMPLES.clear()) == {}
    assert not folder.exists()
    assert drawn(folder, FACTS, ROLLOUTS, EXAMPLES.clear()).keys() == FIGURES.keys() - {"lengths.png"}


def test_bars_are_the_numbers_of_the_tables() -> None:
    pass_rate, lengths = figures._pass_rate(ROLLOUTS), figures._lengths(EXAMPLES)
    assert pass_rate is not None
    assert lengths is not None
    (axes,) = pass_rate.axes
    assert [round(bar.get_height()) for bar in axes.patches] == [1, 1, 1, 1, 0, 0, 0, 0, 2, 0, 0, 2]
    (axes,) = lengths.axes
    found = {stairs.get_label(): [float(share) for share in stairs.get_data().values] for stairs in axes.patches}
    assert {name: [(bar, share) for bar, share in enumerate(shares) if share] for name, shares in found.items()} == {
        "rationalized (1)": [(8, 100.0)],  # the longest 1%: with the last bar
        "reference (96)": [(1, 100.0)],
        "sampled (3)": [(3, pytest.approx(200 / 3)), (8, pytest.approx(100 / 3))],
    }


def test_bars_from_questions_to_examples() -> None:
    """Neither attempts, many times as many, nor what has not happened, nor what was given."""
    steps = {"questions": 1000, "attempts": 15885, "of these, under a hint": 0, "questions solved without a hint": 298}
    steps |= {"examples corrected": 215, "examples rationalized": 0, "examples reference": 1000}
    figure = figures._funnel([{"what": what, "count": count} for what, count in steps.items()])
    assert figure is not None
    (axes,) = figure.axes
    labels = [label.get_text() for label in axes.get_yticklabels()]
    assert dict(zip(labels, (bar.get_width() for bar in axes.patches), strict=True)) == {
        "questions": 1000,
        "questions solved without a hint": 298,
        "examples corrected": 215,
    }
    assert figures._funnel([{"what": "questions", "count": 0}]) is None


def test_legends_lie_below_what_is_drawn() -> None:
    for figure in (
        figures._lengths(EXAMPLES),
        figures._accuracy(RISE["accuracy"]),
        figures._accuracy(FACTS["accuracy"]),
    ):
        assert figure is not None
        figure.set_layout_engine("constrained")
        figure.draw_without_rendering()
        for axes in figure.axes:
            legend = axes.get_legend().get_window_extent()
            label = axes.xaxis.label.get_window_extent()
            assert 0 <= legend.y0 < legend.y1 < label.y0 < axes.bbox.y0


def test_lines_are_the_accuracies() -> None:
    figure = figures._accuracy(RISE["accuracy"])
    assert figure is not None
    one, several = figure.axes
    assert {line.get_label(): list(line.get_ydata()) for line in one.lines} == {"all questions": [10.0, 20.0]}
    assert [line.get_label() for line in several.lines] == ["m1@t1", "m3@t1", "m1@t2", "p1@t2"]
    figure = figures._accuracy(FACTS["accuracy"])
    assert figure is not None
    (axes,) = figure.axes
    assert [line.get_label() for line in axes.lines] == ["all questions", "1 digit", "a|b"]
    many = [{"generation": 0, "accuracy": 0.5, "by_difficulty": {f"level {level}": 0.5 for level in range(7)}}]
    figure = figures._accuracy(many)
    assert figure is not None
    assert len(figure.axes[0].lines) == 1


def _luminance(color: str) -> float:
    channels = [int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("color", [TEXT, *COLORS])
def test_colors_can_be_read_on_white_and_on_the_hubs_dark_ground(color: str) -> None:
    """The contrast of WCAG 2."""
    assert 1.05 / (_luminance(color) + 0.05) >= 4.5
    assert (_luminance(color) + 0.05) / (_luminance("#0d1117") + 0.05) >= 4


def test_command_line_starts_without_matplotlib() -> None:
    modules = "factory.publishing.card.card, factory.publishing.card.figures"
    loaded = f"import sys, {modules}; sys.exit('matplotlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", loaded]).returncode == 0
