"""What it all ran on."""
import os
import platform
import shutil
import subprocess
from datetime import datetime, timezone
from pathlib import Path

from .job import TOP


def first(command):
    """The first line that a command prints, or nothing."""
    try:
        out = subprocess.run(command, capture_output=True, text=True, cwd=TOP, check=True).stdout
        return out.splitlines()[0].strip()
    except (OSError, subprocess.CalledProcessError, IndexError):
        return ""


def processor():
    """Model and instruction sets of the processor."""
    fields = {}
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        name, _, value = line.partition(":")
        fields.setdefault(name.strip(), value.strip())
    flags = set(fields.get("flags", "").split())
    isa = [name for name, flag in [("AVX-512", "avx512f"), ("AVX2", "avx2"), ("FMA", "fma")] if flag in flags]
    return fields.get("model name") or platform.machine(), " ".join(isa)


def cores():
    return len(os.sched_getaffinity(0))


def memory_bytes(field="MemTotal"):
    for line in Path("/proc/meminfo").read_text().splitlines():
        if line.startswith(field + ":"):
            return int(line.split()[1]) * 1024
    return 0


def file_system(path):
    """The kind of file system that a folder is on."""
    return first(["stat", "-f", "-c", "%T", str(path)])


def describe():
    """The machine, as the page tells it."""
    model, isa = processor()
    return {
        "processor": model,
        "isa": isa,
        "cores": cores(),
        "memory": memory_bytes(),
        "kernel": platform.release(),
        "compiler": first([os.environ.get("CC", "cc"), "--version"]) if compiler() else "",
        "rustc": first(["rustc", "--version"]),
        "commit": first(["git", "describe", "--always", "--dirty"]),
        "date": datetime.now(timezone.utc).strftime("%Y-%m-%d"),
        "load": round(os.getloadavg()[0], 2),
    }


def compiler():
    """The C compiler, if there is one."""
    return shutil.which(os.environ.get("CC", "cc"))


def free_bytes(path):
    """Room on a file system; on one in memory no more than there is memory."""
    disk = shutil.disk_usage(path).free
    return min(disk, memory_bytes("MemAvailable")) if file_system(path) == "tmpfs" else disk
