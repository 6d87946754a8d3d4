"""Starts the server and a Prometheus that scrapes it, and checks what operators are given: each metric of the board, of the alerts and of
the README exists, each query of the board has an answer, each alert is loaded, and the logs are JSON whatever a client sends.
A disk that does not respond shows in the metrics and in /health/ready."""

import json
import os
import pathlib
import re
import socket
import subprocess
import tempfile
import threading
import time

from harness import names
from harness.require import require
from harness.server import Server
from harness.wire import Client

from . import board
from .prometheus import OBSERVE, Prometheus, promtool

HERE = pathlib.Path(__file__).parent
README = HERE.parents[1] / "README.md"
TIMEOUT = 60


def until(what, holds):
    began = time.monotonic()
    while not (found := holds()):
        require(time.monotonic() - began < TIMEOUT, what)
        time.sleep(0.1)
    return found


def set_presence(client, number):
    body = {"sessionId": names.APPLICATION, "availability": "Busy", "activity": "InACall"}
    return client.act(names.numbered("user", number), "setPresence", body).status


def traffic(server, ended):
    """Sets and reads presences until it is told to end; some requests are rejected, some because of a rate."""
    with server.client(names.APPLICATION_TOKEN) as client, server.client(names.OTHER_APPLICATION_TOKEN) as other:
        number = 0
        while not ended.is_set():
            set_presence(client, number % 500)
            client.get(f"/v1.0/users/{names.USER}/presence")
            client.get("/nowhere")
            other.get(f"/v1.0/users/{names.USER}/presence")
            number += 1
            time.sleep(0.01)


def scrape(server, accept):
    with server.client() as client:
        response = client.get("/metrics", headers={"Accept": accept})
        require(response.status == 200, response)
        return response.headers["content-type"], response.body.decode()


def samples(text):
    """Returns the names of the samples in a text of metrics."""
    return {re.match(r"[a-z_]+", line)[0] for line in text.splitlines() if line and not line.startswith("#")}


def check_formats(server):
    """Checks both text formats. Returns the names of all samples."""
    content_type, plain = scrape(server, "text/plain")
    require(content_type.startswith("text/plain; version=0.0.4"), content_type)
    promtool("check", "metrics", text=plain)
    content_type, text = scrape(server, "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5")
    require(content_type.startswith("application/openmetrics-text") and text.endswith("# EOF\n"), content_type)
    # Between the two nothing but the time differs.
    require(samples(plain) == samples(text), samples(plain) ^ samples(text))
    return samples(text)


def check_names(found):
    """Checks that the board, the alerts and the README name no metric that does not exist, and the README every one."""
    known = board.families(found)
    for path in (OBSERVE / "board.json", OBSERVE / "alerts.yml", OBSERVE / "alerts.test.yml"):
        missing = board.names(path.read_text(encoding="utf-8")) - known - {"presence_server"}
        require(not missing, f"{path.name} names {missing}")
    table = README.read_text(encoding="utf-8").split("<!-- metrics -->")[1].split("<!-- end of metrics -->")[0]
    listed = board.names(table)
    require(listed <= known, f"the README names {listed - known}")
    unlisted = {name for name in found if not board.families({name}) & listed}
    require(not unlisted, f"the README does not name {unlisted}")


def check_board(prometheus):
    count = 0
    for title, expression in board.expressions(board.load()):
        require(prometheus.query(expression), f"{title}: {expression} has no series")
        count += 1
    return count


def check_rules(prometheus):
    groups = until("no rules", lambda: prometheus.get("rules")["groups"])
    rules = [rule for group in groups for rule in group["rules"]]
    evaluated = lambda: all(rule["health"] == "ok" for group in prometheus.get("rules")["groups"] for rule in group["rules"])
    until("a rule is not evaluated", evaluated)
    return len(rules)


def check_alerts():
    """Lets promtool read and test the alerts, after checking that each is tested for silence and for noise."""
    alerts, tests = (OBSERVE / "alerts.yml").read_text(encoding="utf-8"), (OBSERVE / "alerts.test.yml").read_text(encoding="utf-8")
    named = re.findall(r"- alert: (\w+)", alerts)
    tested = re.findall(r"alertname: (\w+), exp_alerts: \[(.?)", tests)
    require(named and sorted(tested) == sorted((name, first) for name in named for first in "]{"), "an alert is not tested")
    promtool("check", "rules", OBSERVE / "alerts.yml")
    promtool("test", "rules", OBSERVE / "alerts.test.yml")


def hostile_requests(server):
    """Sends heads that would break lines of a log. Returns their number."""
    heads = [
        b"GET /%0a{\"log\":\"audit\"} HTTP/1.1\r\nHost: localhost\r\nUser-Agent: a\"}\\\t\xe2\x80\xa8\xc2\x85\xff\r\n\r\n",
        b"GET /\xe2\x80\xa8\xc2\x85 HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-For: \xff\xfe\r\n\r\n",
        b"GET /" + b"a" * 30000 + b" HTTP/1.1\r\nHost: localhost\r\nUser-Agent: " + b"\xff" * 20000 + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nX: \x01\r\n\r\n",
    ]
    for head in heads:
        with socket.create_connection((server.host, server.port), timeout=30) as connection:
            connection.sendall(head)
            require(connection.recv(12).startswith(b"HTTP/1.1 4"), head[:40])
    return len(heads)


def read_log(path):
    """Reads a log as Python does: its lines end at more characters than JSON's do."""
    text = path.read_bytes().decode("utf-8")
    whole = text[: text.rfind("\n") + 1]
    require(whole.isascii() and whole.count("\n") == len(whole.splitlines()), path.name)
    return [json.loads(line) for line in whole.splitlines()]


def check_logs(directory, server):
    count = hostile_requests(server)
    access, audit = directory / "access.log", directory / "audit.log"
    hostile = lambda: [line for line in read_log(access) if line.get("caller") == "anonymous" and line.get("status", 0) >= 400]
    until("lines of hostile requests are missing", lambda: len(hostile()) >= count)
    lines = read_log(audit)
    events = {line["event"] for line in lines}
    require({"setPresence", "unknown"} <= events, events)
    for path in (access, audit):
        text = path.read_text()
        require("-token" not in text, f"{path.name} holds a token")
    return len(lines) + len(read_log(access))


def check_stall(server, stalled):
    """Stalls the disk: a change waits, the metrics say for how long, and the server is not ready."""

    def reasons():
        with Client(server.host, server.port) as probe:
            response = probe.get("/health/ready")
            return response.status, response.json.get("reasons")

    require(reasons() == (200, None), reasons())
    stalled.touch()

    def change():
        with server.client() as client:
            set_presence(client, 1)

    waiting = threading.Thread(target=change)
    waiting.start()
    until("the server is always ready", lambda: reasons() == (503, ["unflushed"]))
    text = scrape(server, "text/plain")[1]
    oldest = float(re.search(r"^presence_journal_oldest_unflushed_seconds (\S+)$", text, re.M)[1])
    require(oldest >= 10, oldest)
    stalled.unlink()
    waiting.join()
    until("the server is never ready again", lambda: reasons() == (200, None))
    return oldest


def main():
    began = time.monotonic()
    check_alerts()
    with tempfile.TemporaryDirectory() as name:
        directory = pathlib.Path(name)
        library, stalled = directory / "stall.so", directory / "stalled"
        subprocess.run(["gcc", "-shared", "-fPIC", "-O2", "-o", library, HERE / "stall.c"], check=True)
        environment = {**os.environ, "LD_PRELOAD": str(library), "STALLED_WHILE": str(stalled)}
        logs = ["--access-log", str(directory / "access.log"), "--audit-log", str(directory / "audit.log")]
        ended = threading.Event()
        with Server(*logs, "--application-rate", "200/1", virtual_clock=False, environment=environment) as server:
            with Prometheus(directory, f"{server.host}:{server.port}") as prometheus, server.client() as follower:
                follower.connection.request("GET", "/presence/changes", headers=follower.headers)
                working = threading.Thread(target=traffic, args=(server, ended))
                working.start()
                prometheus.wait_for('sum(rate(presence_requests_total{operation="setPresence",status="200"}[10s])) > 0')
                found = check_formats(server)
                check_names(found)
                rules = check_rules(prometheus)
                # A histogram without an observation yet has no quantile, so it waits for two scrapes.
                prometheus.wait_for("rate(presence_journal_rows_count[10s]) > 0")
                queries = check_board(prometheus)
                lines = check_logs(directory, server)
                ended.set()
                working.join()
            oldest = check_stall(server, stalled)
            require(server.is_alive(), server.messages())
    print(
        f"observe: {len(found)} metrics, {queries} queries of the board, {rules} alerts, {lines} lines of logs,"
        f" a change that waited {oldest:.0f} s for the disk, {time.monotonic() - began:.0f} s"
    )


if __name__ == "__main__":
    main()
