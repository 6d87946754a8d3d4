"""Runs on the machine of its own: every command of the README's section, as it stands there, and after each part what must be true then."""

import os
import pathlib
import re
import signal
import subprocess
import threading
import time

from harness import names
from harness.require import require
from harness.server import PACKAGE
from harness.wire import Client
from upgrade.__main__ import Load, milliseconds, wait_for_progress

REPOSITORY = PACKAGE.parent.parent
SECTION = "Put it into service"
ADDRESS = ("127.0.0.1", 8080)
UNIT = "presence-server.service"
DATA = pathlib.Path("/var/lib/presence-server/data")
TOKENS = pathlib.Path("/etc/presence-server/app-tokens")
NEW_TOKEN = "a-new-token-of-an-application"
# Much longer than any of it takes.
PATIENCE = 60
# The program was built by the check, and the commands run as root.
PRELUDE = """set -euo pipefail
cargo() { :; }
sudo() { if [ "$1" = -u ]; then runuser --user "$2" -- "${@:3}"; else "$@"; fi; }
"""
# systemd's own measure of what a unit may do, in tenths: 100 is everything.
MOST_EXPOSED = 20


def sections():
    """Returns the commands of each part of the README's section."""
    text = (PACKAGE / "README.md").read_text().split(f"\n## {SECTION}\n")[1].split("\n## ")[0]
    parts = dict(re.findall(r"\n### (.*?)\n(.*?)(?=\n### |\Z)", text, re.DOTALL))
    return {name: "\n".join(re.findall(r"```sh\n(.*?)```", part, re.DOTALL)) for name, part in parts.items()}


def shell(commands):
    """Runs commands, and returns what they print."""
    done = subprocess.run(
        ["bash", "-c", PRELUDE + commands], cwd=REPOSITORY, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=PATIENCE
    )
    require(done.returncode == 0, f"{commands}\nended with {done.returncode}:\n{done.stdout}")
    return done.stdout


def show(name):
    """Returns a property of the service."""
    return shell(f"systemctl show --property {name} --value {UNIT}").strip()


def wait_until(holds, what):
    until = time.monotonic() + PATIENCE
    while not holds():
        require(time.monotonic() < until, f"{what}:\n{shell(f'systemctl status --no-pager --lines 50 {UNIT} || :')}")
        time.sleep(0.05)


def journal():
    return shell("journalctl --sync; journalctl --unit presence-server --output cat")


class Site:
    """The server, as clients of the application see it."""

    def __init__(self):
        self.token = TOKENS.read_text().split("=")[0]

    def connect(self):
        return Client(*ADDRESS, self.token, timeout=PATIENCE)

    def presence(self):
        with self.connect() as client:
            return client.presence(names.USER)["activity"]

    def set(self, activity):
        body = {"sessionId": names.APPLICATION, "availability": "Busy", "activity": activity, "expirationDuration": "PT4H"}
        with self.connect() as client:
            response = client.act(names.USER, "setPresence", body)
        require(response.status == 200, response)


def installed():
    """After “Install”: the units are right, and let the server do little."""
    shell(f"systemd-analyze verify /etc/systemd/system/presence-server.socket /etc/systemd/system/{UNIT} 2>&1 | tee /dev/stderr | (! grep .)")
    told = shell(f"systemd-analyze security --no-pager --offline=yes --threshold={MOST_EXPOSED} /etc/systemd/system/{UNIT}")
    level = re.search(r"Overall exposure level for \S+: ([0-9.]+)", told)
    require(level and float(level[1]) * 10 <= MOST_EXPOSED, told)
    print(f"service: systemd-analyze says that the unit's exposure level is {level[1]} of 10")


def started():
    """After “Start”: the process is confined, and serves at the socket."""
    site = Site()
    site.set("InACall")
    require(site.presence() == "InACall")
    status = dict(re.findall(r"^(\w+):\s*(.*)$", pathlib.Path(f"/proc/{show('MainPID')}/status").read_text(), re.MULTILINE))
    require(status["Uid"].split()[0] != "0" and int(status["CapBnd"], 16) == 0 and int(status["CapEff"], 16) == 0, status)
    require(status["NoNewPrivs"] == "1" and status["Seccomp"] == "2", status)
    data = DATA.stat()
    require(data.st_mode & 0o777 == 0o700 and str(data.st_uid) == status["Uid"].split()[0], data)
    require("listening on http://127.0.0.1:8080\n" in journal(), journal())
    audit = pathlib.Path("/var/log/presence-server/audit.log")
    require(names.USER in audit.read_text() and audit.stat().st_mode & 0o777 == 0o600, audit)
    require(show("Type") == "notify" and show("ActiveState") == "active")
    # A reload keeps the process, and knows a new token.
    process = show("MainPID")
    with TOKENS.open("a") as tokens:
        tokens.write(f"{NEW_TOKEN}={names.OTHER_APPLICATION}\n")
    with Client(*ADDRESS, NEW_TOKEN, timeout=PATIENCE) as client:
        path = f"/v1.0/users/{names.USER}/presence"
        require(client.get(path).status == 401)
        shell("systemctl reload presence-server")
        wait_until(lambda: client.get(path).status == 200, "the new token is never known")
    require(show("MainPID") == process and site.presence() == "InACall")
    fails()


def fails():
    """The server comes back after a kill and after it has hung, and not with settings that are wrong."""
    site = Site()
    os.kill(int(show("MainPID")), signal.SIGKILL)
    # Whoever comes meanwhile waits in the socket.
    require(site.presence() == "InACall", "a kill has lost it")
    wait_until(lambda: show("NRestarts") == "1", "it does not come back after a kill")
    drop_in = pathlib.Path("/run/systemd/system/presence-server.service.d/check.conf")
    drop_in.parent.mkdir()
    drop_in.write_text("[Service]\nWatchdogSec=3\n")
    shell(f"systemctl daemon-reload; systemctl restart {UNIT}")
    wait_until(lambda: show("WatchdogTimestampMonotonic") != "0", "it never says that it lives")
    os.kill(int(show("MainPID")), signal.SIGSTOP)
    require(site.presence() == "InACall", "a hang has lost it")
    wait_until(lambda: show("NRestarts") == "1", "it does not come back after it has hung")
    drop_in.write_text("[Service]\nEnvironment=PRESENCE_USERS=many\n")
    shell(f"systemctl daemon-reload; systemctl restart {UNIT} && exit 1 || :")
    require(show("Result") == "exit-code" and show("ExecMainStatus") == "2" and show("NRestarts") == "0", show("Result"))
    drop_in.unlink()
    shell(f"systemctl daemon-reload; systemctl reset-failed; systemctl start presence-server.socket {UNIT}")
    require(site.presence() == "InACall")


def restored():
    """After “Back up”: the restored copy is served, and the earlier data is aside."""
    require(Site().presence() == "InACall", "the backup has lost it")
    require(list(DATA.with_name("data.old").glob("*.sqlite")) and not DATA.with_name("restored").exists())


def upgrade(commands):
    """“Upgrade”, under load."""
    site, is_over = Site(), threading.Event()
    clients = [Load(site, number, is_over) for number in range(4)]
    for client in clients:
        client.start()
    wait_for_progress(clients, 20)
    before = show("MainPID")
    shell(commands)
    require(show("MainPID") != before and show("ActiveState") == "active")
    wait_for_progress(clients, 20)
    is_over.set()
    for client in clients:
        client.join(PATIENCE)
        require(client.failure is None, repr(client.failure))
    times = sorted(took for client in clients for _, took in client.times)
    require(site.presence() == "InACall")
    print(f"service: an upgrade under load: {len(times)} requests, all answered, the longest in {milliseconds(times[-1])}, half of them in {milliseconds(times[len(times) // 2])}")


def stopped():
    """At the end: a stop is clean."""
    shell(f"systemctl stop {UNIT}")
    require(show("Result") == "success" and show("ActiveState") == "inactive", show("Result"))
    require(list(DATA.glob("*.sqlite")) and not list(DATA.glob("*-wal")), "not everything is flushed")


AFTER = {"Install": installed, "Configure": lambda: None, "Start": started, "TLS": lambda: None, "Back up": restored}
# Run by the check `container`.
ELSEWHERE = "In a container"


def main():
    built = PACKAGE / "target/release/presence-server"
    program = pathlib.Path(os.environ["PRESENCE_SERVER"])
    if program != built:
        built.parent.mkdir(parents=True, exist_ok=True)
        built.unlink(missing_ok=True)
        built.write_bytes(program.read_bytes())
        built.chmod(0o755)
    parts = sections()
    require([*parts] == [*AFTER, "Upgrade", ELSEWHERE], [*parts])
    del parts[ELSEWHERE]
    for name, commands in parts.items():
        require(commands, name)
        if name == "Upgrade":
            upgrade(commands)
        else:
            shell(commands)
            AFTER[name]()
    stopped()
    print("service: all is well: the README's commands put it into service, and it came back after a kill and a hang")


if __name__ == "__main__":
    try:
        main()
    except Exception:
        print(shell("journalctl --sync; journalctl --no-pager --lines 200 _TRANSPORT=journal _TRANSPORT=stdout"))
        raise
