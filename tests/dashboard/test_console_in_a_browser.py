"""The real console in a real browser: a whole triage, with an adversary's strings on every page."""

import os
import re
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote, urlsplit

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from pipelines.cases import CaseStore, Verdict
from pipelines.console import command, environment
from tests.decided import learned
from tests.story import HOSTILE, THIRD, go_on, members_of_kiln, told

CHROMIUM = next(
    (path for path in map(Path, ("/usr/bin/chromium", "/usr/bin/chromium-browser")) if path.exists()), None
)
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PATIENCE_MS = 30_000
REPOSITORY = Path(__file__).parents[2]


@dataclass
class Seen:
    """What the browser did besides drawing."""

    elsewhere: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def watch(self, page: Page) -> None:
        page.on("request", lambda request: self._request(request.url))
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("console", lambda message: self._console(message.type, message.text, message.location["url"]))
        page.on("dialog", lambda dialog: self.errors.append(f"dialog: {dialog.message}"))

    def _request(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in {"data", "blob"} and parts.hostname != "127.0.0.1":
            self.elsewhere.append(url)

    def _console(self, kind: str, text: str, url: str) -> None:
        # A page opened by its own address first asks for the server beside itself, then at the root.
        probing = re.search(r"/(campaign|account)/_stcore/(health|host-config)$", url)
        if kind == "error" and not probing:
            self.errors.append(f"{text} ({url})")


@pytest.fixture(scope="module")
def chromium() -> Path:
    if CHROMIUM is None:
        if os.environ.get("CI"):
            pytest.fail("CI must have Chromium: apt-get install chromium")
        pytest.skip("no Chromium is installed (apt-get install chromium)")
    return CHROMIUM


@pytest.fixture
def console(tmp_path) -> Iterator[tuple]:
    """The console's own server over a small story, on a free loopback port."""
    workspace = told(tmp_path / "watch")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with (tmp_path / "server.log").open("w") as log:
        server = subprocess.Popen(
            command(address="127.0.0.1", port=port),
            env={**environment(workspace, None), "PYTHONPATH": str(REPOSITORY)},
            cwd=tmp_path,
            stdout=log,
            stderr=log,
        )
        try:
            _wait_for(server, f"http://127.0.0.1:{port}/_stcore/health")
            yield workspace, f"http://127.0.0.1:{port}"
        finally:
            server.terminate()
            server.wait(timeout=20)


def _wait_for(server: subprocess.Popen, url: str) -> None:
    for _ in range(300):
        assert server.poll() is None, "the console's server ended by itself"
        try:
            urllib.request.urlopen(url, timeout=1).close()
        except OSError:
            time.sleep(0.2)
        else:
            return
    pytest.fail("the console's server did not start within a minute")


def _inert(page: Page) -> None:
    assert page.evaluate("window.stillwatchWasHere") is None
    assert page.locator("[onerror], [data-testid='stApp'] script").count() == 0
    # An account's own link holds its id in the query; what counts is where a link or picture leads.
    leads = "all => all.map(one => new URL(one.href || one.src, location).hostname)"
    assert set(page.locator("a[href], img[src]").evaluate_all(leads)) <= {"127.0.0.1", ""}


def test_an_analyst_opens_a_campaign_decides_and_exports(console, chromium):
    workspace, url = console
    seen = Seen()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(chromium), args=FLAGS)
        page = browser.new_page(viewport={"width": 1280, "height": 900}, accept_downloads=True)
        page.set_default_timeout(PATIENCE_MS)
        expect.set_options(timeout=PATIENCE_MS)
        seen.watch(page)

        page.goto(url)
        expect(page.get_by_text("cmp-kiln")).to_be_visible()
        expect(page.get_by_text(HOSTILE["link"])).to_be_visible()  # as it was written, and no link
        _inert(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= 1280

        page.get_by_role("link", name="Open", exact=True).first.click()
        expect(page.get_by_role("heading", name="cmp-kiln")).to_be_visible()
        expect(page.get_by_text(HOSTILE["markup"]).first).to_be_visible()
        expect(page.get_by_role("cell", name="mathematical reasoning").first).to_be_visible()
        expect(page.get_by_text("without shared payment: 13.2 of 15.7, still flagged")).to_be_visible()
        page.get_by_role("tab", name="Prompts").click()
        expect(page.get_by_text(HOSTILE["script"])).to_be_visible()
        for name in ("image", "link", "markup", "html"):
            expect(page.locator("code", has_text=HOSTILE[name]).first).to_be_visible()
        page.get_by_role("tab", name="Activity").click()
        expect(page.locator("canvas, svg.marks").first).to_be_attached()
        expect(page.get_by_text("5 accounts stopped, 5 new took over")).to_be_visible()
        page.get_by_role("tab", name="Accounts").click()
        expect(page.get_by_test_id("stDataFrame")).to_be_visible()
        _inert(page)
        page.get_by_test_id("stDataFrame").click(position={"x": 16, "y": 35 * 3 + 17})  # the third account
        expect(page.get_by_role("heading", name="kiln-00")).to_be_visible()
        page.get_by_role("link", name="Campaign cmp-kiln").click()
        expect(page.get_by_role("heading", name="cmp-kiln")).to_be_visible()

        go_on(workspace, date_after_the_story())  # a scan publishes while the page is open
        page.get_by_text("Approve enforcement").click()
        page.get_by_label("Reason (required)").fill(
            "One list of problems, worked through by replaced accounts."
        )
        page.get_by_label("Your name (required)").fill("ana")
        page.get_by_role("button", name="Record decision").click()
        expect(page.get_by_text("Recorded: approved (suspend) by ana")).to_be_visible()

        page.get_by_role("link", name="Decisions & export").click()
        page.get_by_role("button", name=re.compile("Export .* actions")).click()
        with page.expect_download() as download:
            page.get_by_role("button", name="Download the list").click()
        left = Path(download.value.path()).read_text("utf-8")
        _inert(page)

        page.goto(f"{url}/account?account={quote(HOSTILE['html'])}")
        expect(page.get_by_role("heading", name=HOSTILE["html"])).to_be_visible()
        _inert(page)
        page.goto(f"{url}/campaign?campaign={quote(HOSTILE['script'])}")
        expect(page.get_by_text("was ever flagged here")).to_be_visible()
        _inert(page)
        browser.close()

    assert seen.elsewhere == []
    assert seen.errors == []
    with CaseStore.open(workspace.cases_url) as store:
        [made] = store.history()
    assert (made.verdict, made.by) == (Verdict.APPROVE, "ana")
    assert set(members_of_kiln(THIRD)) <= set(made.members)
    [written] = (workspace.root / "exports").glob("*.csv")
    assert written.read_text("utf-8") == left
    assert "'" + HOSTILE["formula"].replace('"', '""') in left


def test_an_analyst_sees_what_the_queue_is_ordered_by_and_switches_back(console, chromium):
    workspace, url = console
    learned(workspace)
    seen = Seen()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(chromium), args=FLAGS)
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.set_default_timeout(PATIENCE_MS)
        expect.set_options(timeout=PATIENCE_MS)
        seen.watch(page)

        page.goto(url)
        expect(page.get_by_text("Campaigns are ordered by past decisions, 30 approved")).to_be_visible()
        news = page.get_by_text(re.compile("^new-[a-d]$"))
        expect(news).to_have_text(["new-d", "new-a", "new-c", "new-b"])
        page.get_by_text("Order by past decisions").click()
        expect(page.get_by_text("Switched back to plain order.")).to_be_visible()
        expect(news).to_have_text(["new-a", "new-b", "new-c", "new-d"])
        page.reload()  # the address keeps the choice
        expect(news).to_have_text(["new-a", "new-b", "new-c", "new-d"])
        _inert(page)
        browser.close()
    assert seen.elsewhere == []
    assert seen.errors == []


def date_after_the_story():
    return THIRD.replace(day=THIRD.day + 1)
