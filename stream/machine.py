"""What this machine is, in a line and as a key for what was measured or prepared on it.

Knows nothing about models.
"""

import hashlib
import os
import platform
from functools import cache
from pathlib import Path

CPU_FACTS = Path("/proc/cpuinfo")


def cores() -> int:
    """How many processor cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@cache
def processor() -> str:
    """The processor's name, as well as the system tells it."""
    for line in _cpu_facts():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


@cache
def instruction_sets() -> tuple[str, ...]:
    """Of the ones that matter to speed, those that the processor has; empty where unknown."""
    matter = ("avx2", "avx512f", "avx_vnni", "avx512_vnni", "avx512_bf16", "amx_int8", "asimddp")
    for line in _cpu_facts():
        if line.startswith(("flags", "Features")):
            there = set(line.partition(":")[2].split())
            return tuple(name for name in matter if name in there)
    return ()


def describe() -> str:
    """The machine in a line, for whoever reads a measurement."""
    sets = ", ".join(instruction_sets())
    return f"{cores()} cores of {processor()} ({platform.machine()}{', ' if sets else ''}{sets})"


def machine_key(*parts: object) -> str:
    """A short name for this machine together with whatever else a cached thing depends on."""
    known = (platform.machine(), processor(), instruction_sets(), cores(), *parts)
    return hashlib.sha256(repr(known).encode()).hexdigest()[:16]


@cache
def _cpu_facts() -> tuple[str, ...]:
    try:
        return tuple(CPU_FACTS.read_text(encoding="utf-8", errors="replace").splitlines())
    except OSError:
        return ()
