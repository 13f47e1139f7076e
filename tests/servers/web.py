"""A web server on the loopback that also fails, stalls, cuts and redirects: `web.py [PORT]`.

Prints its address, then serves until its standard input ends. Only Python's own library.

  /ok/N         N bytes, by ranges too      /flaky/N     503 twice, then N bytes
  /cut/N        half of what was asked for  /stall/N     half of it, then silence
  /redirect/N   to /ok/N                    /429/N       once: come back in a second
  /missing      404

`?wait=S` in any address answers after S seconds.
"""

import sys
import threading
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

BLOCK = bytes(range(256)) * 256
seen, lock = Counter(), threading.Lock()


def body(start, end):
    """Bytes start to end of the body that all addresses have: 0, 1, … 255, 0, …"""
    while start < end:
        piece = BLOCK[start % len(BLOCK) :][: end - start]
        yield piece
        start += len(piece)


class Web(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = 1 << 16

    def log_message(self, *_):
        pass

    def do_GET(self):
        address = urlsplit(self.path)
        kind, _, rest = address.path.strip("/").partition("/")
        time.sleep(float(parse_qs(address.query).get("wait", ["0"])[0]))
        with lock:
            seen[self.path] += 1
            count = seen[self.path]
        size = int(rest) if rest.isdigit() else 0
        if kind == "flaky" and count <= 2:
            self.short(503)
        elif kind == "429" and count == 1:
            self.short(429, ("Retry-After", "1"))
        elif kind == "redirect":
            self.short(302, ("Location", f"/ok/{size}"))
        elif kind in ("ok", "flaky", "cut", "stall", "429"):
            self.sized(kind, size)
        else:
            self.short(404)

    def short(self, status, *headers):
        self.send_response(status)
        for name, value in (*headers, ("Content-Length", "0")):
            self.send_header(name, value)
        self.end_headers()

    def sized(self, kind, size):
        start, tag = 0, f'"{size}"'
        asked = self.headers.get("Range", "")
        if asked.startswith("bytes=") and self.headers.get("If-Range", tag) == tag:
            start = int(asked[6:].partition("-")[0])
        if start >= size > 0:
            return self.short(416, ("Content-Range", f"bytes */{size}"))
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{size - 1}/{size}")
        self.send_header("ETag", tag)
        self.send_header("Content-Length", str(size - start))
        self.end_headers()
        half = kind in ("cut", "stall") and size - start > 1
        for piece in body(start, start + (size - start) // 2 if half else size):
            self.wfile.write(piece)
        self.wfile.flush()
        if kind == "stall" and half:
            time.sleep(3600)
        self.close_connection = self.close_connection or half


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 1024

    def handle_error(self, *_):
        """Clients that go away are what this is for."""


if __name__ == "__main__":
    server = Server(("127.0.0.1", int(sys.argv[1]) if sys.argv[1:] else 0), Web)
    print(f"http://127.0.0.1:{server.server_port}", flush=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    sys.stdin.read()
