"""One look at the host through psutil, and the sizes of scikit-learn's pickles."""

import contextlib
import pickle
import subprocess

import data
import psutil
from clock import Bench, versions, write
from sklearn.ensemble import IsolationForest, RandomForestRegressor


def snapshot():
    """The same families of metrics as our collector's."""
    return (
        psutil.cpu_percent(), psutil.getloadavg(), psutil.virtual_memory(), psutil.swap_memory(),
        psutil.disk_usage("/"), psutil.disk_io_counters(), psutil.net_io_counters(), len(psutil.pids()),
    )


@contextlib.contextmanager
def crowd(processes):
    """As many processes as asked, by starting ones that sleep."""
    children = []
    try:
        for _ in range(processes - len(psutil.pids())):
            children.append(subprocess.Popen(["sleep", "3600"]))
        yield
    finally:
        for child in children:
            child.kill()
        for child in children:
            child.wait()


def run(directory):
    versions("psutil", "scikit-learn")
    sizes = data.sizes(directory)
    for row, processes in (("rest.snapshot", 75), ("rest.snapshot_2000", 2000)):
        with crowd(processes):
            Bench(sizes).time(row, "psutil", lambda _: snapshot())

    trees = sizes["trees"]
    host = data.read(directory, "host")
    isolation = IsolationForest(n_estimators=trees, max_samples=256, random_state=1).fit(host)
    write("rest.file_iforest", "scikit-learn", len(pickle.dumps(isolation)))
    n = sizes["forest_small"]
    x, y = data.read(directory, "x")[:n], data.read(directory, "y")[:n]
    forest = RandomForestRegressor(n_estimators=trees, max_features=data.THIRD, random_state=1).fit(x, y)
    write("rest.file_forest", "scikit-learn", len(pickle.dumps(forest)))
