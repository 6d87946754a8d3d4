"""Lines of standard input."""

import subprocess

from parts.follow import Follow


def say(follow, text):
    follow.process.stdin.write(text)
    follow.process.stdin.flush()


def test_lines_are_shown_and_the_last_one_runs_on():
    with Follow("--stdin", stdin=subprocess.PIPE) as follow:
        say(follow, "busy\r\n")
        follow.shows("Busy")
        say(follow, '{"availability":"DoNotDisturb","activity":"Presenting"}\n')
        follow.shows("Presenting")
        say(follow, "Offline\n")
        follow.shows("Offline")
        say(follow, "lunch\n")
        follow.message("A line of standard input is not understood")
        say(follow, "InACall PT8S")
        follow.process.stdin.close()
        follow.shows("InACall")
        follow.shows("Offline")
        assert follow.stop() == 0


def test_once_waits_for_a_line():
    with Follow("--stdin", "--once", stdin=subprocess.PIPE) as follow:
        say(follow, "Away PT1H\n")
        follow.shows("Away")
        assert follow.process.wait(90) == 0
