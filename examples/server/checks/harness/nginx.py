"""nginx in front of a server, as Debian packages it, with `proxy_pass` and nothing else about proxies."""

import os
import pathlib
import shutil
import socket
import subprocess
import tempfile
import time

from . import names
from .wire import Client
from .require import require

READY_TIMEOUT = 30
# Another process may take the free port before nginx does.
ATTEMPTS = 5

# Everything but `proxy_pass` and the time-out is about where nginx runs.
CONFIGURATION = """
user root;
daemon off;
pid {directory}/pid;
error_log {directory}/error.log;
events {{}}
http {{
  access_log off;
  client_body_temp_path {directory}/client_body;
  proxy_temp_path {directory}/proxy;
  fastcgi_temp_path {directory}/fastcgi;
  uwsgi_temp_path {directory}/uwsgi;
  scgi_temp_path {directory}/scgi;
  server {{
    listen 127.0.0.1:{port};
    location / {{
      proxy_pass {url};
      proxy_read_timeout {read_timeout}s;
    }}
  }}
}}
"""


class Nginx:
    """A running nginx. A read timeout is the longest silence of the server that it accepts, in seconds."""

    def __init__(self, server, read_timeout=60):
        self.host = "127.0.0.1"
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="presence-nginx-"))
        for _ in range(ATTEMPTS):
            if self.start(server, read_timeout):
                return
        raise RuntimeError(f"nginx does not start:\n{self.messages()}")

    def start(self, server, read_timeout):
        """Starts nginx on a free port. Reports whether it listens there."""
        with socket.socket() as free:
            free.bind((self.host, 0))
            self.port = free.getsockname()[1]
        text = CONFIGURATION.format(directory=self.directory, port=self.port, url=server.url, read_timeout=read_timeout)
        path = self.directory / "nginx.conf"
        path.write_text(text)
        # Debian puts it where only root looks.
        program = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
        require(program, "there is no nginx")
        command = [program, "-e", str(self.directory / "error.log"), "-p", str(self.directory), "-c", str(path)]
        self.process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        until = time.monotonic() + READY_TIMEOUT
        while self.process.poll() is None and time.monotonic() < until:
            try:
                socket.create_connection((self.host, self.port), timeout=1).close()
                return True
            except OSError:
                time.sleep(0.01)
        self.process.kill()
        self.process.wait()
        return False

    def client(self, token=names.DEVELOPER_TOKEN):
        return Client(self.host, self.port, token)

    def messages(self):
        """Returns what nginx wrote to its error log."""
        path = self.directory / "error.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def close(self):
        self.process.terminate()
        self.process.wait()
        shutil.rmtree(self.directory)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
