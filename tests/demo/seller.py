"""A seller with a browser: opens the authorize link, ticks the shops, agrees, and follows the redirect."""

from __future__ import annotations

from html.parser import HTMLParser
from urllib.parse import urljoin

import requests


class _Forms(HTMLParser):
    """The forms of a page: where each is sent to, and its fields as a browser would send them."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[tuple[str, list[tuple[str, str]]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.forms.append((attributes.get("action", ""), []))
        ticked = attributes.get("type") != "checkbox" or "checked" in attributes
        if tag == "input" and self.forms and "name" in attributes and ticked:
            self.forms[-1][1].append((attributes["name"], attributes.get("value", "")))


def agree(link: str, open_id: str) -> str:
    """Authorize the app as one seller, for all shops, and return the text of the page where that ends.

    :param link: what `airflow tiktokshop authorize` prints
    :raises LookupError: the consent page does not offer this seller
    :raises requests.HTTPError: a page on the way refused
    """
    with requests.Session() as browser:
        browser.trust_env = False
        page = browser.get(link, timeout=30)
        page.raise_for_status()
        parser = _Forms()
        parser.feed(page.text)
        for action, fields in parser.forms:
            if ("open_id", open_id) in fields:
                answer = browser.post(urljoin(page.url, action), data=[*fields, ("decision", "accept")], timeout=30)
                answer.raise_for_status()
                return answer.text
    raise LookupError(f"the consent page has no form for {open_id}")
