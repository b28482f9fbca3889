"""A Chromium, pages in it, and a run to show.

Without Chromium (Debian's ``chromium``) or playwright the tests that need them skip, and say so;
AE_CLUSTER_REQUIRE_CHROMIUM=1 forbids it.
"""

import os
import shutil

import pytest

from ae_cluster.explorer import write_page
from ae_cluster.records.config import RunConfig
from ae_cluster.runs.run import run

NAMES = ("chromium", "chromium-browser", "google-chrome")
# A machine without a graphics card draws WebGL with the processor.
SOFTWARE_GL = ("--enable-unsafe-swiftshader",)


def leave(reason):
    (pytest.fail if os.environ.get("AE_CLUSTER_REQUIRE_CHROMIUM") == "1" else pytest.skip)(reason)


@pytest.fixture(scope="module")
def start_browser():
    """Give the function that starts a Chromium with these switches."""
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        leave("playwright is not installed: pip install 'ae-cluster[test]'")
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        leave("no Chromium on this machine: apt install chromium")
    with sync_playwright() as playwright:
        started = []

        def start(*switches):
            # Whole areas are drawn anew, never parts of them: at a rounded corner that is drawn
            # over, colours would depend on how often the page was painted on the way.
            fixed = ["--no-sandbox", "--disable-partial-raster"]
            browser = playwright.chromium.launch(executable_path=found, args=[*fixed, *switches])
            started.append(browser)
            return browser

        yield start
        for browser in started:
            browser.close()


@pytest.fixture(scope="module")
def browser(start_browser):
    return start_browser(*SOFTWARE_GL)


@pytest.fixture
def open_page(browser):
    """Give the function that opens a file; afterwards nothing may have failed or been fetched."""
    contexts, problems = [], []

    def note_request(request):
        if not request.url.startswith(("file:", "data:", "blob:")):
            problems.append(f"fetched {request.url}")

    def open_(path, width=1280, height=860, scheme="light", in_browser=browser, **options):
        context = in_browser.new_context(
            viewport={"width": width, "height": height}, color_scheme=scheme, **options
        )
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("dialog", lambda dialog: problems.append(f"dialog {dialog.message}"))
        page.on("request", note_request)
        page.goto(path.as_uri())
        return page

    yield open_
    for context in contexts:
        context.close()
    assert problems == []


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    """Give the run folder of a short training on the bundled digits."""
    out = tmp_path_factory.mktemp("runs") / "digits"
    run(RunConfig(epochs=12, draws=1, budgets=(1, 5)), out, figures=False)
    return out


@pytest.fixture(scope="session")
def html(folder):
    return write_page(folder, folder / "page.html")


@pytest.fixture
def page(open_page, html):
    return open_page(html)
