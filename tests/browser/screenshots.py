"""Makes the pictures of the README anew, from the demo: `PYTHONPATH=. python tests/browser/screenshots.py`."""

import shutil
from pathlib import Path

from playwright.sync_api import sync_playwright
from sqlalchemy import insert, select

from automation.cli.demo_place import own_folder, own_stand
from automation.cli.demo_story import Stand, live
from automation.clock import wall_clock
from automation.database.accounts import users
from automation.database.schema import messages
from automation.web.accounts.sessions import open_session
from automation.web.console.call import COOKIE
from automation.web.console.formats import customer_url

PICTURES = Path(__file__).parents[2] / "automation/web/screenshots"
SIZE = {"width": 1280, "height": 1000}
CUSTOMERS = 2_000


def main() -> None:
    with own_folder(None) as folder, own_stand(folder) as stand:
        live(stand, CUSTOMERS, wall_clock(), print)
        pages = {"today": "/", "customer": customer_url(_somebody(stand))}
        _pictures(stand, pages)


def _somebody(stand: Stand) -> str:
    """Whoever got the newest message."""
    newest = select(messages.c.customer_id).where(messages.c.status == "sent").order_by(messages.c.sent_at.desc())
    with stand.database.reading() as connection:
        found: str = connection.execute(newest.limit(1)).scalar_one()
    return found


def _pictures(stand: Stand, pages: dict[str, str]) -> None:
    address = stand.settings.business.public_url
    with stand.database.writing() as connection:
        now = stand.clock()
        connection.execute(insert(users), {"name": "ada", "role": "support", "created_at": now})
        token = open_session(connection, "ada", now)
    secure = address.replace("http:", "https:")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        context = browser.new_context(base_url=address, viewport=SIZE, color_scheme="light")  # type: ignore[arg-type]
        context.add_cookies([{"name": COOKIE, "value": token, "url": secure, "secure": True, "httpOnly": True}])
        page = context.new_page()
        for name, path in pages.items():
            page.goto(path)
            page.screenshot(path=PICTURES / f"{name}.png")
        browser.close()


if __name__ == "__main__":
    PICTURES.mkdir(exist_ok=True)
    main()
