"""A web server with the latency and the bandwidth of a store, for as long as this process lives."""
import http.client
import io
import subprocess
import sys

from .job import TOP

LATENCY, BANDWIDTH = 0.05, 100e6
RUNNING = {}


def serve(folder):
    """The address of a server of a folder, one for each folder."""
    if folder not in RUNNING:
        words = [sys.executable, TOP / "tests/servers/store.py", folder]
        options = ["--latency", LATENCY, "--bandwidth", BANDWIDTH]
        child = subprocess.Popen(
            [str(word) for word in [*words, *options]],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )
        RUNNING[folder] = child, child.stdout.readline().strip()
    return RUNNING[folder][1]


class InTurn(io.RawIOBase):
    """A file on the server, read by one request after the other."""

    def __init__(self, address):
        host, _, self.name = address.removeprefix("http://").partition("/")
        self.link, self.at = http.client.HTTPConnection(host), 0
        self.size = int(self.ask("HEAD").getheader("Content-Length"))

    def ask(self, method, **headers):
        self.link.request(method, f"/{self.name}", headers=headers)
        answer = self.link.getresponse()
        self.body = answer.read()
        return answer

    def readable(self):
        return True

    def seekable(self):
        return True

    def tell(self):
        return self.at

    def seek(self, offset, whence=0):
        self.at = offset + (0, self.at, self.size)[whence]
        return self.at

    def readinto(self, to):
        count = min(len(to), self.size - self.at)
        if count > 0:
            self.ask("GET", Range=f"bytes={self.at}-{self.at + count - 1}")
            to[:count] = self.body
            self.at += count
        return max(count, 0)
