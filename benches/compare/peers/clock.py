"""Processor time of repeated calls, measured as `src/clock.rs` does, and the records that both halves write."""

import json
import math
import platform
import statistics
import sys
import time
from importlib.metadata import version

# What is timed at once takes at least this long, so that reading the clock does not count.
BATCH_SECONDS = 0.002
# More batches than this make a median no better.
MOST_BATCHES = 1000


def measure(budget, work):
    """Median microseconds of processor time, how many batches that is the median of, and what `work` last returned."""
    started = time.monotonic()
    before = time.process_time()
    last = work(0)
    first = time.process_time() - before
    if time.monotonic() - started > budget:
        return 1e6 * first, 1, last
    calls = 1

    def batch(n):
        nonlocal calls, last
        before = time.process_time()
        for _ in range(n):
            last = work(calls)
            calls += 1
        return (time.process_time() - before) / n

    size = 1
    while (seconds := batch(size) * size) < BATCH_SECONDS:
        size = int(size * min(max(1.3 * BATCH_SECONDS / max(seconds, 1e-9), 2), 100))
    taken = []
    while len(taken) < 3 or (len(taken) < MOST_BATCHES and time.monotonic() - started < budget):
        taken.append(batch(size))
    return 1e6 * statistics.median(taken), len(taken), last


class Bench:
    """Times what it is given and writes a record of it at once. What fails is recorded as missing."""

    def __init__(self, sizes):
        self.budget = sizes["budget_seconds"]

    def time(self, row, peer, work, note=None, scale=1):
        """`work` is told how many calls there were before; its time is multiplied by `scale`. Returns its last result."""
        try:
            micros, runs, last = measure(self.budget, work)
        except Exception as e:
            write(row, peer, None, note=f"failed: {e}")
            return None
        write(row, peer, scale * micros, runs, note)
        return last


def write(row, peer, value, runs=0, note=None):
    """One record to the standard output, and for the person who waits to the standard error."""
    known = value is not None and math.isfinite(value)
    print(f"{row:32} {peer:36} {value if known else math.nan:14.3f} {note or ''}", file=sys.stderr)
    record = {"row": row, "peer": peer, "value": value if known else None, "runs": runs, "note": note}
    print(json.dumps(record), flush=True)


def versions(*names):
    """Records the versions of Python and of the packages that are measured."""
    write("version", "Python", None, note=platform.python_version())
    for name in names:
        write("version", name, None, note=version(name))
