"""A proxy that throttles the first requests as the server would, and forwards the others unchanged. `POST /throttle/NUMBER`
sets how many it throttles, and returns how many requests it has seen; clients outside Python use that."""

import http.client
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

# Headers of one connection, which are not forwarded. The length is computed again.
HOP_BY_HOP = {"connection", "content-length", "keep-alive", "transfer-encoding"}


class Throttle:
    """A proxy that responses `remaining` requests with 429 and `Retry-After: 1`, or with other headers."""

    def __init__(self, server, remaining, headers=None):
        self.remaining = remaining
        self.seen = []
        lock = threading.Lock()
        retry_headers = {"Retry-After": "1"} if headers is None else headers
        throttle = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def serve(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                if self.path.startswith("/throttle/"):
                    throttle.remaining = int(self.path.removeprefix("/throttle/"))
                    self.respond(200, {}, str(len(throttle.seen)).encode())
                    return
                with lock:
                    throttle.seen.append((self.command, self.path, dict(self.headers)))
                    is_throttled = throttle.remaining > 0
                    throttle.remaining -= is_throttled
                if is_throttled:
                    error = {"error": {"code": "TooManyRequests", "message": "Too many requests."}}
                    self.respond(429, {"Content-Type": "application/json", **retry_headers}, json.dumps(error).encode())
                else:
                    self.forward(body)

            do_GET = do_POST = serve

            def forward(self, body):
                connection = http.client.HTTPConnection(server.host, server.port)
                headers = {name: value for name, value in self.headers.items() if name.lower() not in HOP_BY_HOP}
                connection.request(self.command, self.path, body=body, headers=headers)
                response = connection.getresponse()
                headers = {name: value for name, value in response.getheaders() if name.lower() not in HOP_BY_HOP}
                self.respond(response.status, headers, response.read())
                connection.close()

            def respond(self, status, headers, body):
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
