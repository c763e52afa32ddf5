"""The page of a run, looked at in a real headless browser, which is given no network."""

import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import polars as pl
import pytest
from playwright.sync_api import Browser, Page

from factory.reading.page import page
from factory.run import Run
from tests.support.page_run import AGAIN, NASTY, attempts_of, small

TEXTS_WITH_TOO_LITTLE_CONTRAST = (Path(__file__).parent / "contrast.js").read_text()

pytest_plugins = ("tests.support.browsing",)

Visit = Callable[..., Page]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    run = small(tmp_path_factory.mktemp("small"))
    assert page.write(run.folder) == run.folder / "report.html"
    return run


@pytest.fixture
def report(run: Run) -> Path:
    return run.folder / "report.html"


def link(attempt: str) -> str:
    return f"#attempt={quote(attempt, safe='')}"


def counts(shown: Page, facet: str) -> dict[str, int]:
    """The options of a filter with their counts."""
    options = shown.locator(f"select[name={facet}] option").all_text_contents()[1:]
    return {value: int(count) for value, count in (re.fullmatch(r"(.*) \((\d+)\)", one).groups() for one in options)}


def test_head_figures_and_table(report: Path, visit: Visit) -> None:
    shown = visit(report)
    assert shown.locator("h1").inner_text() == "run"
    assert shown.locator(".state").inner_text() == "in progress: generation 1 of 2, evaluation, rollouts finished"
    assert shown.locator("#head").inner_text().count("\nmine\n") == 1
    assert "\nexact 2\n" in shown.locator("#head").inner_text(), "name and version, as on the card"
    figures = [shown.get_by_role("img").nth(n).get_attribute("aria-label") for n in range(6)]
    assert figures == [
        "Accuracy of each model, with its 95% interval. accuracy: 50.0%, 50.0%",
        "Accuracy by difficulty. 1 digit: 75.0%, 75.0%. 2 digits: 25.0%, 25.0%",
        "Over turns and in parallel. m1@t1: not measured, 20.0%. m5@t1: not measured, 25.0%. "
        "m1@t5: not measured, 30.0%. p1@t5: not measured, 40.0%",
        "Accuracy by turn of the dialogue. model 1: 20.0%, 30.0%",
        "Generation 0: questions 3, solved without a hint 2, attempts 8, correct 5, examples 3",
        "Generation 1: questions 1, solved without a hint 1, attempts 1, correct 1",
    ]
    assert shown.locator("#accuracy polyline").count() == 1 + 2 + 4 + 1
    band = shown.locator("#accuracy .band").bounding_box()
    assert band
    assert band["width"] > 200
    assert band["height"] > 20
    cells = {row[0]: row[1:] for row in (one.split("\t") for one in shown.locator("tbody").inner_text().split("\n"))}
    assert cells["accuracy"] == ["50.0%", "50.0%"]
    assert cells["95% interval"] == ["40.0 to 60.0", "40.0 to 60.0"]
    assert cells["m1@t5"] == ["", "30.0%"]
    assert cells["duplicate"] == ["1", ""]
    assert cells["columns: sampled"] == ["2 of 3", ""]
    assert cells["completion tokens"] == ["11,106", "2,468"]
    assert cells["pass@1 of the train split"] == ["40.0%", ""]
    assert cells["pass@k"] == ["@2 50.0%, @3 60.0%", ""]
    assert cells["length drift, share"] == ["-5.0%", ""]
    assert cells["newly solved"] == ["7", ""]
    assert cells["newly lost"] == ["", ""]
    assert cells["flawed by columns"] == ["30.0%", ""]
    assert cells["advice"] == ["stop: it is <enough>", ""]
    assert cells["dataset"] == ["registry/run/gen-0", ""]


def test_filters_count_what_polars_counts(run: Run, report: Path, visit: Visit) -> None:
    found = attempts_of(run).with_columns(
        origin=pl.when("hinted")
        .then(pl.lit("rationalized"))
        .when(pl.col("turn") > 0)
        .then(pl.lit("corrected"))
        .otherwise(pl.lit("sampled")),
        generation=pl.col("generation").cast(pl.String),
        reason=pl.col("reason").fill_null("none"),
    )

    def by(facet: str, some: pl.DataFrame) -> dict[str, int]:
        everything = dict.fromkeys(found[facet], 0)
        return everything | dict(some[facet].value_counts().iter_rows())

    shown = visit(report)
    facets = ("generation", "split", "verdict", "origin", "difficulty", "reason")
    assert shown.locator("#count").inner_text() == f"{found.height} of {found.height} attempts"
    assert {facet: counts(shown, facet) for facet in facets} == {facet: by(facet, found) for facet in facets}
    assert counts(shown, "outcome") == {"evaluation": 2, "kept": 3, "not curated": 1, "rejected": 5}
    assert counts(shown, "checks") == {"all passed": 3, "none applied": 1, "none made": 6, "some failed": 1}
    assert shown.locator("select[name=difficulty] option").all_text_contents()[3] == "10 digits (2)", "in natural order"
    shown.locator("select[name=generation]").select_option("0")
    shown.locator("select[name=verdict]").select_option("correct")
    some = found.filter(pl.col("generation") == "0", pl.col("verdict") == "correct")
    assert shown.locator("#count").inner_text() == f"{some.height} of {found.height} attempts"
    assert counts(shown, "reason") == by("reason", some)
    assert counts(shown, "verdict") == by("verdict", found.filter(pl.col("generation") == "0")), "not by itself"
    assert shown.locator(".row[aria-selected=true] .verdict").inner_text() == "correct"
    shown.get_by_role("button", name="Clear filters").click()
    assert shown.locator("#count").inner_text() == f"{found.height} of {found.height} attempts"


def test_a_dialogue_and_why_it_was_kept(report: Path, visit: Visit) -> None:
    detail = visit(report, link("2+5/0/s0t1")).locator("#detail")
    said = [one.split("\n") for one in detail.locator(".dialogue li").all_inner_texts()]
    assert said == [
        ["question", "2+5"],
        ["attempt, turn 0", "It is 9, I think."],
        ["feedback", AGAIN],
        ["this attempt, turn 1", "No, 7."],
    ]
    assert detail.locator(".badge").all_inner_texts() == ["correct", "corrected", "kept"]
    assert detail.locator(".why").inner_text() == "Kept as an example of origin corrected, with weight 1.5."
    assert detail.locator(".answers dd").all_inner_texts() == ["0", "7"]
    assert detail.locator(".checks").inner_text() == "✓ columns/1 passed"
    other = visit(report, link("which/0/s0t0h")).locator("#detail")
    assert other.locator(".checks").inner_text() == "○ columns/1 does not apply: no sum"
    detail = visit(report, link("2+5/0/s0t1")).locator("#detail")
    facts = dict(one.split("\n") for one in detail.locator(".facts div").all_inner_texts())
    expected = {"seed": "2147483647", "temperature": "0.7", "prompt tokens": "9", "completion tokens": "1,234"}
    expected |= {"reward": "1", "weight": "1.5", "pass rate of the question": "75.0%", "verifier": "exact/1"}
    assert facts | expected == facts
    assert detail.locator(".others").all_inner_texts() == ["gen 0\n0 ✗\n1 ✓\n2 ✓\n0, turn 1 ✓", "gen 1\n0 ✓"]
    detail.get_by_role("button", name="gen 1, sample 0: correct").click()
    assert detail.locator("h3").inner_text() == "2+5/1/s0t0"
    assert detail.locator(".why").inner_text() == "This generation has not been curated yet."


@pytest.mark.parametrize(
    ("attempt", "why"),
    [
        ("2+5/0/s0t0", "Rejected as wrong: its answer is not the gold answer."),
        ("2+5/0/s2t0", "Rejected as duplicate: an attempt kept before it at this question has the same text."),
        (f"{NASTY}/0/s1t0", "Rejected as check_columns: it failed the process check columns."),
        ("eval 1/0/s0t0", "It measures the model: a question of the eval split is never trained on."),
    ],
    ids=["verdict", "reason", "check", "evaluation"],
)
def test_why_an_attempt_was_not_kept(report: Path, visit: Visit, attempt: str, why: str) -> None:
    assert visit(report, link(attempt)).locator(".why").inner_text() == why


def test_a_hint_is_shown_as_the_prompt_had_it(report: Path, visit: Visit) -> None:
    shown = visit(report, link("which/0/s0t0h"))
    assert shown.locator(".hint pre").inner_text() == "which\nAnswer Choices:\n(7) seven (CORRECT)\n(8) eight"
    assert shown.locator(".dialogue li").first.inner_text() == "question\nwhich", "the training prompt has none"
    assert "big" in shown.locator("#detail .facts").inner_text(), "the teacher wrote it"
    assert visit(report, link("which/0/s0t0")).locator(".hint").count() == 0


def test_a_text_of_a_model_is_only_a_text(report: Path, visit: Visit) -> None:
    shown = visit(report, link(f"{NASTY}/0/s1t0"))
    assert shown.title() == "run: run of the rationale factory"
    assert shown.locator(".dialogue .this pre").text_content() == NASTY
    assert shown.locator("img, script:not(#data):not([type=module])").count() == 0
    shown.goto(report.as_uri() + link(f"{NASTY}/0/s0t0"))
    assert NASTY in shown.locator("#detail").inner_text().replace("\xa0", " ")
    assert shown.title() == "run: run of the rationale factory"


def test_the_policy_runs_no_script_but_the_page_s_own(report: Path, browser: Browser) -> None:
    shown = browser.new_page()
    shown.goto(report.as_uri())
    shown.evaluate(
        "document.body.append(Object.assign(document.createElement('script'), {text: 'document.title = 1'}))"
    )
    assert shown.title() == "run: run of the rationale factory"
    shown.close()


def test_keys_search_and_links(report: Path, visit: Visit) -> None:
    shown = visit(report)
    listed = shown.get_by_role("listbox")
    listed.focus()
    steps = {"ArrowDown": "2+5/0/s1t0", "End": "eval 1/1/s0t0", "ArrowUp": "2+5/1/s0t0", "Home": "2+5/0/s0t0"}
    for key, chosen in steps.items():
        shown.keyboard.press(key)
        assert shown.locator("#detail h3").inner_text() == chosen
        active = shown.locator(f"#{listed.get_attribute('aria-activedescendant')}")
        assert active.get_attribute("aria-selected") == "true"
    shown.get_by_label("Search").fill("i THINK")
    shown.locator("#count", has_text="1 of 11 attempts").wait_for()
    shown.get_by_label("Search").fill("EVAL 1/1")
    shown.locator("#count", has_text="1 of 11 attempts").wait_for()
    shown.get_by_label("Search").fill("2+5")
    shown.locator("#count", has_text="5 of 11 attempts").wait_for()
    shown.locator("select[name=generation]").select_option("0")
    shown.locator(".row").nth(2).click()
    again = visit(report, "#" + shown.url.split("#")[1])
    assert again.locator("#count").inner_text() == "4 of 11 attempts"
    assert again.get_by_label("Search").input_value() == "2+5"
    assert again.locator("#detail h3").inner_text() == shown.locator("#detail h3").inner_text() == "2+5/0/s2t0"
    again.get_by_label("Search").fill("nowhere to be found")
    again.locator("#count", has_text="0 of 11 attempts").wait_for()
    assert again.locator(".row").count() == counts(again, "verdict")["correct"] == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_everything_can_be_read(report: Path, visit: Visit, scheme: str) -> None:
    shown = visit(report, color_scheme=scheme)
    ground = "rgb(247, 247, 245)" if scheme == "light" else "rgb(19, 21, 26)"
    assert shown.evaluate("getComputedStyle(document.body).backgroundColor") == ground
    for chosen in ("2+5/0/s0t1", "which/0/s0t0h", f"{NASTY}/0/s0t0"):
        shown.evaluate("hash => { location.hash = hash }", link(chosen))
        shown.locator("#detail h3", has_text=chosen).wait_for()
        read, bad = shown.evaluate(TEXTS_WITH_TOO_LITTLE_CONTRAST)
        assert read > 100
        assert bad == []


def test_a_narrow_screen_is_not_scrolled_sideways(report: Path, visit: Visit) -> None:
    shown = visit(report, viewport={"width": 360, "height": 740})
    assert shown.evaluate("document.documentElement.scrollWidth") == 360
    assert shown.locator("#detail").bounding_box()["y"] > shown.locator("#list").bounding_box()["y"] + 300
    shown.locator(".row").nth(3).click()
    shown.wait_for_function("document.getElementById('detail').getBoundingClientRect().top < 100")
