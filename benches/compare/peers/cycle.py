"""The whole cycle as a Python design does it: psutil, scikit-learn, numpy and sqlite3 in one process.

Each time: a look at the host, the isolation forest's score of one row, the random forests' predictions of two series
from ten lags each, two polynomials of degree three, and six rows stored in one transaction.
"""

import time

BEFORE = time.process_time()

import json  # noqa: E402
import sqlite3  # noqa: E402
import tempfile  # noqa: E402

import numpy as np  # noqa: E402
import psutil  # noqa: E402
from sklearn.ensemble import IsolationForest, RandomForestRegressor  # noqa: E402

IMPORT = time.process_time() - BEFORE

import data  # noqa: E402
from clock import measure, write  # noqa: E402
from rest import snapshot  # noqa: E402

# The sleep between cycles where caches are to grow cold, and how many cycles that is the mean of.
PAUSE = 0.1
PAUSED = 60
DESIGN = "Python design"

TABLES = """
CREATE TABLE metrics (timestamp INTEGER PRIMARY KEY, cpu REAL, load REAL, memory REAL, swap REAL, disk REAL,
    disk_read INTEGER, disk_write INTEGER, received INTEGER, sent INTEGER, processes INTEGER);
CREATE TABLE anomalies (id INTEGER PRIMARY KEY, timestamp INTEGER, score REAL, is_anomaly INTEGER, features TEXT);
CREATE TABLE predictions (id INTEGER PRIMARY KEY, timestamp INTEGER, series TEXT, value REAL, confidence REAL);
CREATE TABLE patterns (id INTEGER PRIMARY KEY, timestamp INTEGER, series TEXT, kind TEXT, coefficients TEXT);
"""


def lagged(column, rows):
    """Ten lags of one feature, the newest first, and what they led to."""
    rows = min(rows, len(column) - data.LAGS)
    x = np.stack([column[data.LAGS - 1 - lag :][:rows] for lag in range(data.LAGS)], axis=1)
    return np.ascontiguousarray(x), column[data.LAGS :][:rows]


class Design:
    def __init__(self, directory, place, sizes):
        trees, rows = sizes["trees"], sizes["iforest_small"]
        self.host = data.read(directory, "host")
        self.series = data.read(directory, "series")
        self.isolation = IsolationForest(n_estimators=trees, max_samples=min(256, rows), n_jobs=1, random_state=1)
        self.isolation.fit(self.host[:rows])
        self.forests = []
        for feature in (0, 1):
            x, y = lagged(self.host[:, feature], rows)
            forest = RandomForestRegressor(n_estimators=trees, n_jobs=1, random_state=1).fit(x, y)
            self.forests.append((x, forest))
        self.grid = np.linspace(-1, 1, data.POINTS)
        self.db = sqlite3.connect(f"{place}/python.db")
        self.db.execute("PRAGMA journal_mode=WAL")
        self.db.execute("PRAGMA synchronous=NORMAL")
        self.db.executescript(TABLES)
        self.cycles = 0

    def cycle(self, _=None):
        i = self.cycles
        self.cycles += 1
        cpu, load, memory, swap, disk, io, net, processes = snapshot()
        row = i * 7919 % len(self.host)
        score = -self.isolation.score_samples(self.host[row : row + 1])[0]
        predicted = []
        for x, forest in self.forests:
            row = i * 7919 % len(x)
            predicted.append(forest.predict(x[row : row + 1])[0])
        trends = []
        for shift in (0, 7):
            start = (i + shift) % data.POINTS
            trends.append(np.polyfit(self.grid, self.series[start : start + data.POINTS], 3))

        with self.db as db:
            db.execute(
                "INSERT INTO metrics VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (i, cpu, load[0], memory.percent, swap.percent, disk.percent, io.read_bytes if io else None,
                 io.write_bytes if io else None, net.bytes_recv, net.bytes_sent, processes),
            )
            db.execute(
                "INSERT INTO anomalies (timestamp, score, is_anomaly, features) VALUES (?, ?, ?, ?)",
                (i, score, int(score > 0.6), json.dumps({"cpu": cpu, "memory": memory.percent})),
            )
            for series, value in zip(("cpu", "memory"), predicted):
                db.execute(
                    "INSERT INTO predictions (timestamp, series, value, confidence) VALUES (?, ?, ?, ?)",
                    (i, series, value, 0.9),
                )
            for series, trend in zip(("cpu", "memory"), trends):
                db.execute(
                    "INSERT INTO patterns (timestamp, series, kind, coefficients) VALUES (?, ?, ?, ?)",
                    (i, series, "trending", json.dumps(trend.tolist())),
                )


def run(directory):
    sizes = data.sizes(directory)
    with tempfile.TemporaryDirectory() as place:
        before = time.process_time()
        design = Design(directory, place, sizes)
        design.cycle()
        start = IMPORT + time.process_time() - before
        write("cycle.start", DESIGN, 1e6 * start, 1, f"of it {IMPORT:.2f} s for imports")
        # One figure beside both of ours: it does all of its work each time.
        taken, runs, _ = measure(sizes["budget_seconds"], design.cycle)
        write("cycle.engine", DESIGN, taken, runs)
        write("cycle.parts", DESIGN, taken, runs)
        micros = []
        for _ in range(5 if sizes["quick"] else PAUSED):
            time.sleep(PAUSE)
            before = time.process_time()
            design.cycle()
            micros.append(1e6 * (time.process_time() - before))
        write("cycle.engine_paused", DESIGN, sum(micros) / len(micros), len(micros))
        write("cycle.resident", DESIGN, psutil.Process().memory_info().rss)
        design.db.close()
