"""The issuer of tokens: oidc-provider, in provider.mjs, and the person who signs in there with a browser."""

import pathlib
import re
import socket
import subprocess

import httpx

from harness.require import require

PROVIDER = pathlib.Path(__file__).resolve().parents[1] / "provider.mjs"


class Issuer:
    """A running issuer, in front of a presence server. What it knows stays when it is cut."""

    def __init__(self, state, backend, token):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.command = ["node", str(PROVIDER), str(self.port), str(state), backend, token]
        self.url = f"http://localhost:{self.port}"
        self.start()

    def start(self):
        self.process = subprocess.Popen(self.command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        ready = self.process.stdout.readline()
        require(ready.startswith("listening"), f"the issuer did not start: {ready!r}")

    def cut(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()

    def counts(self):
        """Returns how often tokens were asked for, by grant."""
        return httpx.get(f"{self.url}/check/counts").raise_for_status().json()

    def revoke(self):
        """Takes every sign-in back."""
        httpx.get(f"{self.url}/check/revoke").raise_for_status()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.cut()


def field(page, name):
    """Returns the value of a form's hidden field."""
    found = re.search(rf'name="{name}"[^>]*value="([^"]*)"', page)
    require(found, f"no {name} in {page}")
    return found[1]


def press(browser, page, **fields):
    """Sends the form of a page."""
    action = re.search(r'<form[^>]* action="([^"]+)"', page.text)
    require(action, page.text)
    return browser.post(str(page.url.join(action[1])), data=fields)


def sign_in(browser, page):
    """Signs in and consents, from the issuer's first page. Returns the page behind."""
    page = press(browser, page, prompt="login", login="adele", password="any")
    return press(browser, page, prompt="consent")


def person():
    """Returns a browser."""
    return httpx.Client(follow_redirects=True, timeout=60)


def enter_code(url, code):
    """Enters a device code, signs in, and consents. Returns the last page."""
    with person() as browser:
        page = browser.get(url)
        page = press(browser, page, xsrf=field(page.text, "xsrf"), user_code=code)
        page = press(browser, page, xsrf=field(page.text, "xsrf"), user_code=code, confirm="yes")
        return sign_in(browser, page)


def decline(url, code):
    """Enters a device code, and declines."""
    with person() as browser:
        page = browser.get(url)
        page = press(browser, page, xsrf=field(page.text, "xsrf"), user_code=code)
        return press(browser, page, xsrf=field(page.text, "xsrf"), user_code=code, abort="yes")
