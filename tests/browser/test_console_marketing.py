"""Playbooks, previews and the lifecycle in a real browser: readable at every width and in every color."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Literal

import pytest
from browsing import NARROW, SIZES
from console_browsing import is_accessible, is_whole, looked_at
from console_visiting import NOW, Visiting, visiting
from shop import Shop, at, playbook, step

from automation.reports.kept import keep_figures

if TYPE_CHECKING:
    from playwright.sync_api import Browser

LOOKS: tuple[tuple[int, int, Literal["light", "dark"]], ...] = ((*NARROW, "light"), (*SIZES["desk"], "dark"))
GOAL = '[goal]\nevent = "Order"\nwithin = "2 days"\n'
PEOPLE = tuple(f"c{number:03}" for number in range(40))
PAGES = [
    "/playbooks",
    "/playbooks/care",
    "/playbooks/broken",
    "/playbooks/care/preview?customer=c001",
    "/playbooks/care/preview?step=two",
    "/lifecycle",
    "/lifecycle?since=2026-02-01&who=all",
]


def live(shop: Shop) -> None:
    """Two runs, some orders, a playbook with everything, and one that cannot be read."""
    steps = step("one") + step("two", "hello/text", "sms", after="2 days", when="orders >= 1")
    steps += '[[steps.variants]]\nkey = "short"\ntemplate = "hello/text"\nweight = 0.5\n'
    shop.write(care=playbook(GOAL + steps, name="Care", holdout=0.3, when="orders < 5 or not nps <= 6"))
    shop.customers(*PEOPLE)
    shop.evaluate("2026-02-20T05:00:00Z")
    shop.send("2026-02-20T11:00:00Z")
    for one in PEOPLE[::3]:
        shop.orders(one, "2026-02-21T09:00:00Z")
    shop.evaluate("2026-02-25T05:00:00Z")
    keep_figures(shop.database, shop.settings, shop.book, at(NOW))
    (shop.folder / "playbooks/broken.toml").write_text('name = "Broken"\nstagess = ["new"]\n')


@pytest.fixture
def console(shop: Shop) -> Iterator[Visiting]:
    with ThreadPoolExecutor(1) as elsewhere:  # the browser's driver has an event loop here
        elsewhere.submit(live, shop).result()
    with visiting(shop) as found:
        yield found


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_every_page_is_whole_and_accessible_with_everything_opened(browser: "Browser", console: Visiting) -> None:
    with looked_at(browser, console, "marketer") as page:
        for path in PAGES:
            page.goto(path)
            page.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true })")
            for width, height, scheme in LOOKS:
                page.set_viewport_size({"width": width, "height": height})
                page.emulate_media(color_scheme=scheme)
                is_whole(page)
                is_accessible(page)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_preview_stands_in_a_frame_of_a_telephone_and_of_a_desk(browser: "Browser", console: Visiting) -> None:
    with looked_at(browser, console, "marketer", viewport={"width": 1280, "height": 1000}) as page:
        page.goto("/playbooks/care/preview")
        for title, wide in (("On a telephone", 390), ("On a desk", 760)):
            frame = page.locator(f"iframe[title='{title}']")
            frame.scroll_into_view_if_needed()
            inside = frame.content_frame
            inside.get_by_text("Come back, please.").wait_for()
            box = frame.bounding_box()
            assert box is not None
            assert box["width"] == wide


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_marketer_stops_a_playbook_and_lets_it_go_on(browser: "Browser", console: Visiting) -> None:
    with looked_at(browser, console, "marketer") as page:
        page.goto("/playbooks/care")
        page.get_by_text("Pause it").first.click()
        page.get_by_label("Reason").fill("a wrong price")
        page.get_by_role("button", name="Pause it").click()
        page.get_by_text("The playbook is paused; what is due waits.").wait_for()
        page.get_by_text("Let it go on").first.click()
        page.get_by_label("Reason").fill("mended")
        page.get_by_role("button", name="Let it go on").click()
        page.get_by_text("The playbook goes on; what waited is decided anew.").wait_for()
