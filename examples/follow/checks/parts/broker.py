"""Mosquitto, with a configuration of its own on loopback, and its clients."""

import datetime
import ipaddress
import queue
import socket
import subprocess
import threading
import time

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from harness.require import require

USER, PASSWORD = "adele", "a pass word"
# Longer than anything takes on a machine that is busy.
PATIENCE = 90


def certificate(folder):
    """Writes a certificate for 127.0.0.1 that has signed itself, and its key. Returns their paths."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "broker")])
    now = datetime.datetime.now(datetime.timezone.utc)
    hour = datetime.timedelta(hours=1)
    built = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now - hour, now + hour)
    built = built.add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
    paths = folder / "certificate.pem", folder / "key.pem"
    paths[0].write_bytes(built.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
    form = serialization.PrivateFormat.PKCS8
    paths[1].write_bytes(key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()))
    return paths


class Broker:
    """A running broker, which forgets everything when it is cut."""

    def __init__(self, folder, tls=False):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.tls = ["--cafile", str(folder / "certificate.pem")] if tls else []
        passwords = folder / "passwords"
        subprocess.run(["mosquitto_passwd", "-b", "-c", passwords, USER, PASSWORD], check=True)
        lines = [f"listener {self.port} 127.0.0.1", "allow_anonymous false", f"password_file {passwords}", "persistence false"]
        # Started by root it would become a user who cannot read these files.
        lines += ["user root", "log_type none"]
        if tls:
            paths = certificate(folder)
            lines += [f"certfile {paths[0]}", f"keyfile {paths[1]}"]
        self.configuration = folder / "mosquitto.conf"
        self.configuration.write_text("\n".join(lines) + "\n")
        self.start()

    def start(self):
        self.process = subprocess.Popen(["mosquitto", "-c", self.configuration], stderr=subprocess.PIPE)
        end = time.monotonic() + PATIENCE
        while socket.socket().connect_ex(("127.0.0.1", self.port)):
            require(self.process.poll() is None, "mosquitto did not start")
            require(time.monotonic() < end, "mosquitto does not listen")
            time.sleep(0.02)

    def cut(self):
        self.process.kill()
        self.process.wait()
        self.process.stderr.close()

    def client(self, name):
        return [name, "-h", "127.0.0.1", "-p", str(self.port), "-u", USER, "-P", PASSWORD, "-q", "1", *self.tls]

    def publish(self, topic, payload, *options):
        """Publishes a message, and waits until the broker has it."""
        subprocess.run([*self.client("mosquitto_pub"), "-t", topic, "-m", payload, *options], check=True)

    def watch(self):
        """Returns what is published from now on, and before it what the broker has kept."""
        return Watch([*self.client("mosquitto_sub"), "-t", "#", "-F", "%r %t %p"])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.cut()


class Watch:
    """The messages of all topics."""

    def __init__(self, command):
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self.messages, self.seen = queue.Queue(), []
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        for line in self.process.stdout:
            kept, topic, payload = line.rstrip("\n").split(" ", 2)
            self.messages.put((kept == "1", topic, payload))

    def wait(self, topic, matches=lambda payload: True, kept=None):
        """Waits for a message of a topic whose payload matches, and returns the payload."""
        return self._next(lambda was_kept, of, payload: of == topic and matches(payload) and kept in (None, was_kept), topic)[2]

    def kept(self, topics):
        """Waits for what the broker has kept of topics, in any order, and returns the payloads."""
        found = {}
        while len(found) < len(topics):
            _, topic, payload = self._next(lambda was_kept, of, _: was_kept and of in topics, topics)
            found[topic] = payload
        return [found[topic] for topic in topics]

    def _next(self, matches, what):
        end = time.monotonic() + PATIENCE
        while True:
            try:
                message = self.messages.get(timeout=max(0, end - time.monotonic()))
            except queue.Empty:
                message = None
            require(message is not None, f"nothing on {what}; came: {self.seen}")
            self.seen.append(message)
            if matches(*message):
                return message

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()
