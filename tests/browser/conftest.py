"""A browser, and pages to look at. Where there is no browser, every test here is skipped and says how to install it."""

import os
import shutil

import pytest

INSTALL = "no chromium: apt-get install chromium, or name one by CHROMIUM=PATH; then pip install -e '.[browser]'"


@pytest.fixture(scope="session")
def browser():
    found = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    if found is None:
        pytest.skip(INSTALL)
    playwright = pytest.importorskip("playwright.sync_api", reason=INSTALL)
    with playwright.sync_playwright() as started:
        # As root, as in most containers, chromium starts only without its sandbox; the pages are our own.
        chromium = started.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def site(tmp_path_factory):
    """Write a page of records once; return its address."""
    from burn_verify.report.summary.changes import between
    from burn_verify.report.summary.columns import merge
    from burn_verify.report.summary.findings import Findings
    from burn_verify.report.summary.trails import trails_of
    from burn_verify.report.views.page import render

    def write(*records, comparisons=(), past=(), kept=()):
        merged = merge(records)
        seen = [(name, merge([record]).columns) for name, record in kept]
        findings = Findings(
            matrix=merged,
            expected=({},) * len(merged.columns),
            comparisons=comparisons(merged) if comparisons else (),
            past=past,
            between=between(merged.columns),
            trails=tuple(trails_of(column.target, seen) for column in merged.columns) if kept else (),
        )
        path = tmp_path_factory.mktemp("site") / "index.html"
        path.write_text(render(findings), encoding="utf-8")
        return path.as_uri()

    return write


@pytest.fixture
def visit(browser):
    """Open an address; at the end nothing may have been said on the console, and nothing asked of a network."""
    pages, said = [], []

    def visit(address, width=1280, height=900, **fields):
        context = browser.new_context(viewport={"width": width, "height": height}, **fields)
        context.set_default_timeout(8_000)
        page = context.new_page()
        pages.append(context)
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on(
            "request", lambda request: request.url.startswith(("file:", "data:", "about:")) or said.append(request.url)
        )
        page.goto(address)
        return page

    yield visit
    for context in pages:
        context.close()
    assert said == []
