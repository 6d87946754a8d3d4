"""A PipeWire without any device, in a session of its own: a microphone and a speaker that are none, and programs that record."""

import json
import os
import subprocess
import time

from harness.require import require

# Longer than anything takes on a machine that is busy.
PATIENCE = 90
NODES = {"mic": "Audio/Source/Virtual", "speaker": "Audio/Sink"}


class PipeWire:
    """A running PipeWire, its session manager, and the bus that this one needs."""

    def __init__(self, directory):
        self.directory = directory
        directory.mkdir(mode=0o700)
        own = ("XDG_RUNTIME_DIR", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME", "HOME")
        self.environment = {**os.environ, **{name: str(directory) for name in own}}
        self.environment["DBUS_SESSION_BUS_ADDRESS"] = f"unix:path={directory}/bus"
        self.processes, self.recorders = [], []
        self.start()

    def start(self):
        """Starts it, and waits until a program that records would get the microphone."""
        self._run("dbus-daemon", "--session", "--nofork", "--address", self.environment["DBUS_SESSION_BUS_ADDRESS"])
        self._run("pipewire")
        self._wait(lambda objects: True, "PipeWire does not answer")
        self._run("wireplumber")
        self._wait(lambda objects: any("WirePlumber" in str(props) for props in _props(objects)), "WirePlumber does not come")
        for name, kind in NODES.items():
            node = f"{{ factory.name=support.null-audio-sink node.name={name} media.class={kind} object.linger=true audio.position=[MONO] }}"
            subprocess.run(["pw-cli", "create-node", "adapter", node], env=self.environment, check=True, stdout=subprocess.DEVNULL)
        names = set(NODES)
        self._wait(lambda objects: names <= {props.get("node.name") for props in _props(objects)}, "the nodes do not come")

    def record(self, name, source="mic", **props):
        """Starts a program that records, and waits until it does."""
        properties = " ".join(f"{key}={value}" for key, value in {"application.name": name, **props}.items())
        command = ["pw-record", "--target", source, "-P", f"{{ {properties} }}", "/dev/null"]
        recorder = self._run(*command)
        self.processes.remove(recorder)
        self.recorders.append(recorder)

        def records(objects):
            running = [info["props"] for info in _infos(objects) if info.get("state") == "running"]
            return any(props.get("application.name") == name for props in running)

        self._wait(records, f"{name} does not record")
        return recorder

    def cut(self):
        """Kills all of it, and what records."""
        for process in self.recorders + self.processes[::-1]:
            process.kill()
            process.wait()
        self.processes, self.recorders = [], []
        for left in ("pipewire-0", "pipewire-0.lock", "bus"):
            (self.directory / left).unlink(missing_ok=True)

    def _run(self, *command):
        log = (self.directory / f"{command[0]}.log").open("ab")
        process = subprocess.Popen(command, env=self.environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        log.close()
        self.processes.append(process)
        return process

    def _wait(self, matches, what):
        end = time.monotonic() + PATIENCE
        while True:
            dump = subprocess.run(["pw-dump"], env=self.environment, capture_output=True)
            if dump.returncode == 0 and matches(_objects(dump.stdout.decode())):
                return
            logs = {path.name: path.read_text(errors="replace")[-500:] for path in self.directory.glob("*.log")}
            require(time.monotonic() < end, f"{what}: {logs}")
            time.sleep(0.05)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.cut()


def _objects(text):
    """Returns the objects of a dump: what changes while it is written follows in an array of its own."""
    objects, at = {}, 0
    while at < len(text):
        array, at = json.JSONDecoder().raw_decode(text, at)
        objects.update({thing["id"]: thing for thing in array})
        at += len(text[at:]) - len(text[at:].lstrip())
    return list(objects.values())


def _infos(objects):
    return [info for info in (thing.get("info") for thing in objects) if info and info.get("props")]


def _props(objects):
    return [info["props"] for info in _infos(objects)]
