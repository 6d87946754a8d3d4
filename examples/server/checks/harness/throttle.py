"""A proxy that refuses the first requests as a throttled server does, and forwards the others unchanged. Who cannot reach it
from Python says how many with `POST /throttle/NUMBER`, and is answered how many requests it has seen so far."""

import http.client
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

# What belongs to one connection and is not forwarded; the length is written anew.
HOP_BY_HOP = {"connection", "content-length", "keep-alive", "transfer-encoding"}


class Throttle:
    """Refuses `refusals` requests with 429 and `Retry-After: 1`, or with other headers."""

    def __init__(self, server, refusals, headers=None):
        self.refusals = refusals
        self.seen = []
        lock = threading.Lock()
        refused = {"Retry-After": "1"} if headers is None else headers
        throttle = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def serve(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                if self.path.startswith("/throttle/"):
                    throttle.refusals = int(self.path.removeprefix("/throttle/"))
                    self.answer(200, {}, str(len(throttle.seen)).encode())
                    return
                with lock:
                    throttle.seen.append((self.command, self.path, dict(self.headers)))
                    is_refused = throttle.refusals > 0
                    throttle.refusals -= is_refused
                if is_refused:
                    error = {"error": {"code": "TooManyRequests", "message": "Too many requests."}}
                    self.answer(429, {"Content-Type": "application/json", **refused}, json.dumps(error).encode())
                else:
                    self.forward(body)

            do_GET = do_POST = serve

            def forward(self, body):
                connection = http.client.HTTPConnection(server.host, server.port)
                headers = {name: value for name, value in self.headers.items() if name.lower() not in HOP_BY_HOP}
                connection.request(self.command, self.path, body=body, headers=headers)
                response = connection.getresponse()
                answered = {name: value for name, value in response.getheaders() if name.lower() not in HOP_BY_HOP}
                self.answer(response.status, answered, response.read())
                connection.close()

            def answer(self, status, headers, body):
                self.send_response_only(status)
                for name, value in {**headers, "Content-Length": str(len(body))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.proxy = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.proxy.server_port}"
        threading.Thread(target=self.proxy.serve_forever, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.proxy.shutdown()
        self.proxy.server_close()
