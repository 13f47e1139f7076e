#!/usr/bin/env python3
"""A web server of files that answers late, and sends no more than so many bytes a second.

    store.py FOLDER [--latency SECONDS] [--bandwidth BYTES_PER_SECOND] [--fault KIND]

It serves ranges, with ETags that it honours, and prints its address in its first line. `GET
/.counts` tells how many requests it had, of which kinds, and how many bytes it has sent. `--fault`:
`no-ranges` ignores ranges, `changes` gives every answer another ETag, `cuts` ends each third answer
in its middle, `busy` refuses each third request with 503.
"""
import argparse
import hashlib
import json
import os
import socketserver
import sys
import threading
import time
import urllib.parse
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler

PIECE = 1 << 16


class Pipe:
    """What all answers go through: a piece may leave when those before it have."""

    def __init__(self, bandwidth):
        self.bandwidth, self.lock, self.free = bandwidth, threading.Lock(), 0.0

    def wait(self, count):
        if not self.bandwidth:
            return
        with self.lock:
            self.free = max(self.free, time.monotonic()) + count / self.bandwidth
            until = self.free
        # So much may stand in buffers.
        time.sleep(max(0.0, until - time.monotonic() - 0.005))


class Counts:
    def __init__(self):
        self.lock, self.all = threading.Lock(), {"HEAD": 0, "GET": 0, "bytes": 0}

    def add(self, name, count=1):
        with self.lock:
            self.all[name] += count
            return self.all[name]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *_):
        pass

    def do_HEAD(self):
        self.answer(False)

    def do_GET(self):
        if self.path == "/.counts":
            text = json.dumps(self.server.counts.all).encode()
            self.head(200, len(text))
            self.wfile.write(text)
            return
        self.answer(True)

    def head(self, status, length, **more):
        self.send_response(status)
        self.send_header("Content-Length", str(length))
        for name, value in more.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()

    def answer(self, body):
        server, args = self.server, self.server.args
        time.sleep(args.latency)
        number = server.counts.add(self.command)
        if args.fault == "busy" and number % 3 == 0:
            return self.head(503, 0)
        name = urllib.parse.unquote(urllib.parse.urlsplit(self.path).path)
        path = os.path.join(args.folder, name.lstrip("/"))
        if ".." in name or not os.path.isfile(path):
            return self.head(404, 0)
        about = os.stat(path)
        key = f"{about.st_size} {about.st_mtime_ns}"
        if args.fault == "changes" and body:
            key += f" {number}"
        etag = '"' + hashlib.md5(key.encode()).hexdigest() + '"'
        if self.headers.get("If-Match", etag) != etag and args.fault != "changes":
            return self.head(412, 0)
        more = {"ETag": etag, "Last_Modified": formatdate(about.st_mtime, usegmt=True)}
        first, last, status = 0, about.st_size - 1, 200
        wanted = self.headers.get("Range", "")
        if wanted.startswith("bytes=") and args.fault != "no-ranges":
            start, _, end = wanted[6:].partition("-")
            if start:
                first, last = int(start), min(int(end or last), last)
            else:
                first = max(0, about.st_size - int(end))
            more["Content_Range"] = f"bytes {first}-{last}/{about.st_size}"
            status = 206
        self.head(status, last - first + 1, Accept_Ranges="bytes", **more)
        if body:
            self.send(path, first, last + 1, args.fault == "cuts" and number % 3 == 0)

    def send(self, path, at, end, cut):
        if cut:
            end, self.close_connection = (at + end) // 2, True
        with open(path, "rb") as file:
            file.seek(at)
            while at < end:
                piece = file.read(min(PIECE, end - at))
                self.server.pipe.wait(len(piece))
                try:
                    self.wfile.write(piece)
                except OSError:
                    self.close_connection = True
                    return
                self.server.counts.add("bytes", len(piece))
                at += len(piece)


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 256

    def handle_error(self, request, client_address):
        """A caller that goes away is no news."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder")
    parser.add_argument("--latency", type=float, default=0.05)
    parser.add_argument("--bandwidth", type=float, default=0)
    parser.add_argument("--fault", default="")
    parser.add_argument("--port", type=int, default=0)
    args = parser.parse_args()
    with Server(("127.0.0.1", args.port), Handler) as server:
        server.args, server.counts, server.pipe = args, Counts(), Pipe(args.bandwidth)
        print(f"http://127.0.0.1:{server.server_address[1]}", flush=True)
        # Whoever started it has gone when this ends.
        threading.Thread(target=ends, args=(server,), daemon=True).start()
        server.serve_forever()


def ends(server):
    while sys.stdin.buffer.read(1):
        pass
    server.shutdown()


if __name__ == "__main__":
    main()
