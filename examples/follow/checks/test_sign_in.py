"""Rule F3 with a real issuer: signing in with a browser and with a code, renewal, rotation, revocation, an issuer that is cut."""

import json
import re
import stat
import time

import pytest

from harness import names
from parts.follow import PATIENCE, Follow, once
from parts.issuer import Issuer, decline, enter_code, person, sign_in

REFRESH = "refresh_token"
DEVICE_CODE = "urn:ietf:params:oauth:grant-type:device_code"


@pytest.fixture
def issuer(server, tmp_path):
    with Issuer(tmp_path / "issuer.json", server.url, names.USER_TOKEN) as issuer:
        yield issuer


@pytest.fixture
def account(issuer, tmp_path):
    """Returns the options of an account."""
    tokens = tmp_path / "state" / "tokens.json"
    return [
        *("--client-id", "presence-follow", "--issuer", issuer.url, "--graph-url", f"{issuer.url}/v1.0"),
        *("--token-file", tokens, "--interval", "1"),
    ]


@pytest.fixture
def tokens(tmp_path):
    return tmp_path / "state" / "tokens.json"


def is_busy(application):
    body = {"sessionId": names.APPLICATION, "availability": "Busy", "activity": "InACall", "expirationDuration": "PT1H"}
    assert application.act(names.USER, "setPresence", body).status == 200


def is_away(application):
    body = {"sessionId": names.APPLICATION, "availability": "Away", "activity": "Away", "expirationDuration": "PT1H"}
    assert application.act(names.USER, "setPresence", body).status == 200


@pytest.fixture
def application(server):
    with server.client(names.APPLICATION_TOKEN) as client:
        yield client


def browse(follow):
    """Signs in with a browser, as the program asks. Returns the last page."""
    follow.message("open this address")
    url = follow.message("/auth?")
    assert "code_challenge_method=S256" in url
    with person() as browser:
        return sign_in(browser, browser.get(url))


def signed_in(account):
    with Follow(*account, "--sign-in", "--no-browser") as follow:
        page = browse(follow)
        assert "You can close this window" in page.text
        code, _, messages = follow.end()
        assert code == 0, messages


def test_a_browser_signs_in_once_and_for_all(account, application, tokens, issuer):
    is_busy(application)
    code, state, messages = once(*account)
    assert code == 3 and "--sign-in" in messages[0], (state, messages)
    assert state["links"] == {"graph": "signIn"} and state["availability"] == "Offline"
    signed_in(account)
    assert stat.S_IMODE(tokens.stat().st_mode) == 0o600 and stat.S_IMODE(tokens.parent.stat().st_mode) == 0o700
    code, state, messages = once(*account, "--verbose")
    assert code == 0 and (state["availability"], state["activity"]) == ("Busy", "InACall"), (state, messages)
    # What is said has no secrets, whatever is sent.
    secret = re.search(r'"refreshToken":"([^"]+)"', tokens.read_text())[1]
    said = "\n".join(messages)
    assert "/me/presence" in said and secret not in said and "Bearer" not in said
    # Another issuer gets none of it.
    elsewhere = [issuer.url.replace("localhost", "127.0.0.1") if option == issuer.url else option for option in account]
    before = issuer.counts()[REFRESH]
    code, state, _ = once(*elsewhere)
    assert code == 3 and issuer.counts()[REFRESH] == before
    with Follow(*account, "--sign-out") as follow:
        assert follow.end()[0] == 0
    assert not tokens.exists() and once(*account)[0] == 3


def asked(follow):
    """Returns the address and the code that the person is shown."""
    return re.search(r"open (\S+) and enter the code (\S+),", follow.message("enter the code")).groups()


def test_a_code_signs_in_however_slow_the_issuer_wants_it(account, application, issuer):
    is_busy(application)
    with Follow(*account, "--sign-in", "--device-code", "--verbose") as follow:
        url, code = asked(follow)
        follow.message("authorization_pending")
        follow.message("slow_down")
        assert "Success" in enter_code(url, code).text
        exit_code, _, messages = follow.end()
        assert exit_code == 0, messages
    counts = issuer.counts()
    assert "early" not in counts and counts[DEVICE_CODE] >= 3
    assert once(*account)[0] == 0


def test_a_person_who_declines_is_not_asked_again(account, issuer):
    with Follow(*account, "--sign-in", "--device-code") as follow:
        decline(*asked(follow))
        exit_code, _, messages = follow.end()
    assert exit_code == 3 and any("declined" in message for message in messages), messages
    assert "early" not in issuer.counts()


def renewals(issuer, count):
    """Waits until tokens were renewed so often."""
    end = time.monotonic() + PATIENCE
    while issuer.counts()[REFRESH] < count:
        assert time.monotonic() < end, issuer.counts()
        time.sleep(0.1)


def test_tokens_are_renewed_and_rotated_while_it_follows(account, application, issuer, tokens):
    is_busy(application)
    signed_in(account)
    with Follow(*account) as follow:
        follow.shows("InACall", {"graph": "ok"})
        first = tokens.read_text()
        # A refresh token is good once: another process that renews in between takes nothing away.
        for _ in range(3):
            assert once(*account)[0] == 0
        # Tokens last ten seconds, so the first is no good any more after two renewals of the process that follows.
        renewals(issuer, issuer.counts()[REFRESH] + 2)
        assert tokens.read_text() != first
        is_away(application)
        state = follow.shows("Away")
        assert state["links"] == {"graph": "ok"}
        assert follow.stop() == 0
    assert all(json.loads(line)["links"]["graph"] != "signIn" for line in follow.seen), follow.seen


def test_an_issuer_that_is_cut_ends_no_sign_in(account, application, issuer):
    is_busy(application)
    signed_in(account)
    with Follow(*account) as follow:
        follow.shows("InACall", {"graph": "ok"})
        issuer.cut()
        # The presence stays for its lease; the link is told apart.
        follow.shows("InACall", {"graph": "down"})
        is_away(application)
        issuer.start()
        follow.shows("Away", {"graph": "ok"})
        assert not any("sign" in message for message in follow.said + list(filter(None, follow.messages.queue)))
        assert follow.stop() == 0


def test_a_sign_in_that_is_taken_back_needs_a_person_and_goes_on_after_it(account, application, issuer):
    is_busy(application)
    signed_in(account)
    with Follow(*account) as follow:
        follow.shows("InACall", {"graph": "ok"})
        issuer.revoke()
        follow.shows("InACall", {"graph": "signIn"})
        follow.message("presence-follow --sign-in")
        asked = issuer.counts()
        assert once(*account)[0] == 3
        # Nobody is asked again and again.
        signed_in(account)
        follow.shows("InACall", {"graph": "ok"})
        assert issuer.counts()[REFRESH] <= asked[REFRESH] + 3
        assert follow.stop() == 0
