"""What `src/data.rs` wrote: the very bytes that the Rust half learns from."""

import json
from pathlib import Path

import numpy as np

FEATURES = 8
LAGS = 10
COLUMNS = FEATURES * LAGS
THIRD = 27
POINTS = 1000
SHAPES = {"host": FEATURES, "held": FEATURES, "x": COLUMNS, "held_x": COLUMNS}


def sizes(directory):
    return json.loads(Path(directory, "sizes.json").read_text())


def read(directory, name):
    values = np.fromfile(Path(directory, f"{name}.f64"), dtype="<f8")
    return values.reshape(-1, SHAPES[name]) if name in SHAPES else values


def spread(rows, wanted):
    """Numbers of `wanted` rows, spread over all of them: neighbours in time are too alike."""
    return [i * 7919 % rows for i in range(min(wanted, rows))]
