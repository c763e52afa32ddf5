"""A real headless browser for tests, as pytest fixtures: ``pytest_plugins = ("tests.support.browsing",)``."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")


@pytest.fixture(scope="module")  # not longer: while it lives, no other test could run an event loop
def browser() -> Iterator[Browser]:
    path = next(filter(None, map(shutil.which, BROWSERS)), None)
    if path is None:
        pytest.skip(f"no browser on PATH: install one of {', '.join(BROWSERS)}")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path)
        yield browser
        browser.close()


@pytest.fixture
def visit(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Opens a file in a context of its own; afterwards it must have asked for nothing else and logged nothing."""
    contexts, requests, logged = [], [], []

    def visit(file: Path, hash: str = "", **settings: object) -> Page:
        contexts.append(browser.new_context(offline=True, **{"viewport": {"width": 1300, "height": 900}} | settings))
        shown = contexts[-1].new_page()
        shown.on("request", lambda request: requests.append((request.url.split("#")[0], file.as_uri())))
        shown.on("console", lambda message: logged.append(message.text))
        shown.on("pageerror", lambda error: logged.append(str(error)))
        shown.goto(file.as_uri() + hash)
        shown.wait_for_selector("html[data-ready]")
        return shown

    yield visit
    for context in contexts:
        context.close()
    assert len(requests) >= len(contexts)
    assert all(asked == file for asked, file in requests)
    assert logged == []
