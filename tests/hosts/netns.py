"""Hosts made of network namespaces on one machine: a router, and hosts that hang on it.

Needs root and iproute2. Everything is removed when the `with` block ends.
"""

import os
import signal
import subprocess
import time


def ip(*words, check=True):
    return subprocess.run(["ip", *words], check=check, capture_output=True, text=True)


class Net:
    """`count` hosts, 10.77.1.2, 10.77.2.2 …, and a router in a namespace of its own."""

    def __init__(self, count):
        self.tag = f"tm{os.getpid() % 100000}"
        self.count = count

    def __enter__(self):
        self.__exit__()
        ip("netns", "add", self.router)
        self.inside(self.router, "sh", "-c", "echo 1 > /proc/sys/net/ipv4/ip_forward")
        for i in range(self.count):
            here, there = f"{self.tag}p{i}", f"{self.tag}e{i}"
            ip("netns", "add", self.host(i))
            ip("link", "add", here, "type", "veth", "peer", "name", there)
            ip("link", "set", here, "netns", self.router)
            ip("link", "set", there, "netns", self.host(i))
            for namespace, device, address in (
                (self.router, here, f"10.77.{i + 1}.1/24"),
                (self.host(i), there, f"{self.address(i)}/24"),
            ):
                self.inside(namespace, "ip", "addr", "add", address, "dev", device)
                self.inside(namespace, "ip", "link", "set", device, "up")
            self.inside(self.host(i), "ip", "link", "set", "lo", "up")
            self.inside(self.host(i), "ip", "route", "add", "default", "via", f"10.77.{i + 1}.1")
        return self

    def __exit__(self, *_):
        for i in range(self.count):
            for pid in self.pids(i):
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
            ip("netns", "del", self.host(i), check=False)
        ip("netns", "del", self.router, check=False)

    @property
    def router(self):
        return f"{self.tag}router"

    def host(self, i):
        return f"{self.tag}h{i}"

    def address(self, i):
        return f"10.77.{i + 1}.2"

    def inside(self, namespace, *command):
        return subprocess.run(["ip", "netns", "exec", namespace, *command], check=True, capture_output=True)

    def cable(self, i, state):
        """Pulls the cable of a host (`down`), or puts it back (`up`)."""
        self.inside(self.router, "ip", "link", "set", f"{self.tag}p{i}", state)

    def pids(self, i):
        found = ip("netns", "pids", self.host(i), check=False).stdout
        return [int(pid) for pid in found.split()]

    def start(self, i, command, environment, folder):
        """Starts a program on a host; its output is read when it ends."""
        return subprocess.Popen(
            ["ip", "netns", "exec", self.host(i), *command],
            env={**os.environ, **environment},
            cwd=folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )


def wait(processes, seconds):
    """What each process says, and its exit code; None for one that has not ended in time."""
    end = time.monotonic() + seconds
    ended = []
    for process in processes:
        try:
            out, err = process.communicate(timeout=max(0.01, end - time.monotonic()))
            ended.append((process.returncode, out, err))
        except subprocess.TimeoutExpired:
            ended.append(None)
    return ended
