"""Builds the image with buildah, asking no registry, and runs it with podman as operators do: read-only, without a capability, with a
volume for the data. It must serve, end on SIGTERM at once and cleanly, and have everything after that, after a kill, and in a new
container."""

import contextlib
import json
import os
import pathlib
import re
import resource
import subprocess
import time
import uuid

from harness import names
from harness.require import require
from harness.server import PACKAGE
from harness.wire import Client

PATIENCE = 60
TOKEN = "a-token-of-twenty-characters"
# What there is in a container beside what the engine itself puts there.
CONTENT = {"presence-server", "data"}
OF_ENGINES = {"dev", "etc", "proc", "run", "sys", "tmp"}
# podman counts on rights to raise limits that not every root has.
FILES = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
LIMITS = ["--ulimit", f"nofile={FILES}:{FILES}", "--ulimit", "nproc=4096:4096", "--cgroups", "disabled"]
# As in the README.
HARDENED = "--read-only --cap-drop all --security-opt no-new-privileges".split()
TOKENS = "--secret {},uid=65532,mode=0400 --env PRESENCE_APP_TOKEN_FILE=/run/secrets/{}"


def podman(*arguments, text=None):
    """Runs podman, with a text as standard input, and returns what it prints."""
    done = subprocess.run(["podman", *arguments], input=text, stdout=subprocess.PIPE, text=True, timeout=PATIENCE)
    require(done.returncode == 0, f"podman {' '.join(arguments)} ended with {done.returncode}")
    return done.stdout.strip()


class Container:
    """A container of the image, at a free port of this machine's loopback address."""

    def __init__(self, image, volume, secret):
        self.name = f"presence-check-{uuid.uuid4().hex[:8]}"
        options = [*LIMITS, *HARDENED, *TOKENS.format(secret, secret).split(), "--network", "host", "--volume", f"{volume}:/data"]
        podman("create", "--name", self.name, *options, image, "--listen", "127.0.0.1:0")
        self.starts = 0

    def start(self):
        podman("start", self.name)
        self.starts += 1
        until = time.monotonic() + PATIENCE
        while len(found := re.findall(r"^listening on http://127\.0\.0\.1:([0-9]+)$", self.log(), re.MULTILINE)) < self.starts:
            require(self.state()["Running"], self.log())
            require(time.monotonic() < until, f"not ready:\n{self.log()}")
            time.sleep(0.02)
        return Client("127.0.0.1", int(found[-1]), TOKEN)

    def log(self):
        done = subprocess.run(["podman", "logs", self.name], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        return done.stdout

    def state(self):
        return json.loads(podman("inspect", self.name))[0]["State"]

    def stop(self):
        """Ends it as `podman stop` does. Returns the seconds that it took."""
        began = time.monotonic()
        podman("stop", "--time", str(PATIENCE), self.name)
        took = time.monotonic() - began
        require(self.state()["ExitCode"] == 0, (self.state(), self.log()))
        return took

    def remove(self):
        podman("rm", "--force", "--volumes", self.name)


def set_presence(client, activity):
    body = {"sessionId": names.APPLICATION, "availability": "Busy", "activity": activity, "expirationDuration": "PT4H"}
    response = client.act(names.USER, "setPresence", body)
    require(response.status == 200, response)


def check_content(image, scratch):
    """Checks that there is nothing in the image but the program and a directory for the data."""
    created = podman("create", "--name", scratch, image)
    exported = subprocess.Popen(["podman", "export", created], stdout=subprocess.PIPE)
    listed = subprocess.run(["tar", "--list"], stdin=exported.stdout, stdout=subprocess.PIPE, text=True, check=True).stdout
    require(exported.wait() == 0)
    content = {name.strip("./").split("/")[0] for name in listed.split()} - {""}
    require(CONTENT <= content <= CONTENT | OF_ENGINES, content)


def run(image, stack):
    volume = secret = f"presence-check-{uuid.uuid4().hex[:8]}"
    stack.callback(podman, "volume", "rm", "--force", volume)
    podman("secret", "create", secret, "-", text=f"{TOKEN}={names.APPLICATION}\n")
    stack.callback(podman, "secret", "rm", secret)
    container = Container(image, volume, secret)
    stack.callback(container.remove)
    with container.start() as client:
        require(client.get("/health/live").status == 200)
        set_presence(client, "InACall")
        require(client.presence(names.USER)["activity"] == "InACall")
    took = container.stop()
    with container.start() as client:
        require(client.presence(names.USER)["activity"] == "InACall", "a stop has lost it")
        set_presence(client, "InAConferenceCall")
    podman("kill", container.name)
    another = Container(image, volume, secret)
    stack.callback(another.remove)
    with another.start() as client:
        require(client.presence(names.USER)["activity"] == "InAConferenceCall", "a kill has lost it")
    another.stop()
    return took


def check_readme():
    """Checks that the README runs the image as this does."""
    readme = (PACKAGE / "README.md").read_text()
    for options in (" ".join(HARDENED), TOKENS.format("presence-tokens", "presence-tokens")):
        require(options in readme, f"not in the README: {options}")


def main():
    check_readme()
    name = f"localhost/presence-check:{uuid.uuid4().hex[:8]}"
    with contextlib.ExitStack() as stack:
        program = os.environ.get("PRESENCE_SERVER")
        if not program:
            static = subprocess.run([PACKAGE / "packaging/build-static"], stdout=subprocess.PIPE, text=True, check=True)
            program = static.stdout.strip()
        environment = {**os.environ, "PRESENCE_SERVER": program}
        subprocess.run([PACKAGE / "packaging/build-image", name], stdout=subprocess.DEVNULL, env=environment, check=True)
        stack.callback(podman, "rmi", "--force", name)
        scratch = f"presence-check-{uuid.uuid4().hex[:8]}"
        stack.callback(podman, "rm", "--force", "--ignore", scratch)
        check_content(name, scratch)
        took = run(name, stack)
        size = json.loads(podman("image", "inspect", name))[0]["Size"]
        binary = pathlib.Path(program).stat().st_size
        print(f"container: the program has {binary / 1e6:.1f} MB, the image {size / 1e6:.1f} MB, and holds nothing else")
        print(f"container: served, ended by SIGTERM with status 0 in {took:.2f} s, and had all data after that, after a kill and in another container")


if __name__ == "__main__":
    main()
