"""Calendars, by an independent implementation; and one on a server, which is cut."""

import datetime
import http.server
import os
import pathlib
import subprocess
import sys
import threading

from parts.follow import Follow

CHECKS = pathlib.Path(__file__).resolve().parent


def test_calendars_show_what_an_independent_implementation_says(tmp_path):
    script = CHECKS / "calendars.py"
    subprocess.run([sys.executable, script, "--check"], check=True)
    subprocess.run([sys.executable, script, "--random", tmp_path], check=True)
    manifest = ["--manifest-path", CHECKS.parent / "Cargo.toml"]
    name = "source::calendar::tests::calendars_show_what_an_independent_implementation_says"
    command = ["cargo", "test", "-q", "--locked", *manifest, "--lib", name, "--", "--exact"]
    environment = {**os.environ, "PRESENCE_CALENDARS": str(tmp_path)}
    result = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE, text=True)
    assert "1 passed" in result.stdout


def meeting(seconds):
    """Returns a calendar with a meeting that began an hour ago, and has some seconds left."""
    now = datetime.datetime.now(datetime.timezone.utc)
    edges = {"DTSTART": now - datetime.timedelta(hours=1), "DTEND": now + datetime.timedelta(seconds=seconds)}
    times = [f"{name}:{time:%Y%m%dT%H%M%SZ}" for name, time in edges.items()]
    return "\r\n".join(["BEGIN:VCALENDAR", "BEGIN:VEVENT", "UID:1", *times, "END:VEVENT", "END:VCALENDAR", ""]).encode()


class Calendar:
    """A server with a calendar, whose meeting ends soon after it was asked for."""

    def __init__(self):
        self.port = 0

    def start(self):
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                text = meeting(8)
                self.send_response(200)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def cut(self):
        self.server.shutdown()
        self.server.server_close()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}/secret-0123/basic.ics"


def test_a_meeting_ends_and_a_server_that_is_cut_is_a_link():
    calendar = Calendar()
    calendar.start()
    calendar.cut()
    with Follow("--calendar", calendar.url, "--verbose") as follow:
        follow.shows("Offline", {"calendar": "down"})
        calendar.start()
        follow.shows("InAMeeting", {"calendar": "ok"})
        follow.shows("Offline", {"calendar": "ok"})
        assert follow.stop() == 0
    calendar.cut()
    assert not any("secret" in line for line in follow.said)


def test_once_says_what_a_file_says(tmp_path):
    file = tmp_path / "mine.ics"
    file.write_bytes(meeting(3600))
    with Follow("--once", environment={"PRESENCE_FOLLOW_CALENDAR": str(file)}) as follow:
        follow.shows("InAMeeting", {"calendar": "ok"})
        assert follow.process.wait(90) == 0
