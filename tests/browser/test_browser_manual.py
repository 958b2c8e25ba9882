"""A person reads of the API in a browser, signs in with a token and tries it out: against a real manager."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from cli.context import contexts
from tests.e2e.node import Node, node

pytestmark = [pytest.mark.engine, pytest.mark.timeout(120)]

CHROMIUM = "chromium-headless-shell"
# The authority is the cluster's own: a person adds it to their browser, or says once that they trust it.
ARGUMENTS = ["--ignore-certificate-errors", "--no-sandbox"]


@pytest.fixture(scope="module")
def manager() -> Iterator[Node]:
    with node() as one:
        one.start()
        yield one


@pytest.fixture
def page() -> Iterator[Page]:
    program = shutil.which(CHROMIUM)
    if program is None:
        pytest.fail(f"{CHROMIUM} is not installed; `make test` installs it")
    with sync_playwright() as play, play.chromium.launch(executable_path=program, args=ARGUMENTS) as browser:
        yield browser.new_page()


def test_the_api_is_tried_out_in_a_browser(manager: Node, page: Page) -> None:
    said, asked = [], []
    page.on("console", lambda message: said.append(message.text))
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"http://127.0.0.1:{manager.telemetry_port}/docs")

    operation = page.locator(".opblock-get", has=page.locator("[data-path='/v1/nodes']"))
    operation.locator(".opblock-summary-control").click()
    operation.get_by_role("button", name="Try it out").click()
    operation.get_by_role("button", name="Execute").click()
    status = operation.locator(".live-responses-table tbody .response-col_status").first
    expect(status).to_contain_text("401")  # by the API's own word, that the page may read

    [context], _ = contexts(manager.folder / "config")
    page.locator("button.authorize").first.click()
    page.get_by_label("auth-bearer-value").fill(context.token)
    page.locator(".auth-btn-wrapper button.authorize").click()
    page.locator(".auth-btn-wrapper .btn-done").click()
    operation.get_by_role("button", name="Execute").click()
    expect(status).to_contain_text("200")
    expect(operation.locator(".live-responses-table .highlight-code").first).to_contain_text('"ready"')

    ours = (f"http://127.0.0.1:{manager.telemetry_port}/", f"https://127.0.0.1:{manager.api_port}/v1/", "data:")
    assert [url for url in asked if not url.startswith(ours)] == [], "nothing comes from elsewhere"
    assert [text for text in said if "Content Security Policy" in text or "integrity" in text] == []


def test_no_other_page_may_ask(manager: Node, page: Page) -> None:
    page.goto(f"http://localhost:{manager.telemetry_port}/health")
    answer = page.evaluate(
        "url => fetch(url, {headers: {Authorization: 'Bearer x'}}).then(() => 'answered', () => 'kept from it')",
        f"https://127.0.0.1:{manager.api_port}/v1/nodes",
    )
    assert answer == "kept from it"
