"""What scikit-learn reaches on the data sets of data.py; tests/agreement holds our forests against it.

    python3 -m venv venv && venv/bin/pip install -r requirements.txt
    venv/bin/python reference.py

writes isolation_forest.csv, scores.csv and random_forest.csv beside itself, in some minutes. With --check it compares
what it finds with what is there instead.
"""

import sys
from pathlib import Path

import numpy as np
from sklearn.ensemble import IsolationForest, RandomForestRegressor
from sklearn.metrics import r2_score, roc_auc_score

# A reader's run leaves nothing behind in the repository.
sys.dont_write_bytecode = True

import data  # noqa: E402

HERE = Path(__file__).parent
ANOMALY_SEEDS = 60
REGRESSION_SEEDS = 10
# The set of which each row's score is kept, and how many of its rows.
ORDERED, ORDERED_ROWS = "host", 300


def isolation_forests():
    lines = ["set,rows,columns,checksum,auc,auc_sd"]
    scores_of_ordered = []
    for place, make in enumerate(data.ANOMALIES):
        rows, labels = data.anomalies(place)
        x = np.array(rows)
        scores = []
        for seed in range(ANOMALY_SEEDS):
            forest = IsolationForest(n_estimators=100, max_samples=min(256, len(x)), random_state=seed).fit(x)
            scores.append(-forest.score_samples(x))
        aucs = [roc_auc_score(labels, s) for s in scores]
        crc = data.checksum(rows, labels)
        name = make.__name__
        lines.append(f"{name},{len(x)},{x.shape[1]},{crc:08x},{np.mean(aucs):.4f},{np.std(aucs):.4f}")
        print(lines[-1], flush=True)
        if name == ORDERED:
            scores_of_ordered = [f"{s:.5f}" for s in np.mean(scores, axis=0)[:ORDERED_ROWS]]
    return lines, ["score", *scores_of_ordered]


def random_forests():
    lines = ["set,rows,columns,train,checksum,min_leaf,r2,r2_sd"]
    for place, make in enumerate(data.REGRESSIONS):
        rows, targets, train = data.regression(place)
        x, y = np.array(rows), np.array(targets)
        crc = data.checksum(rows, targets)
        # A third of the columns as a number, which no two programs round differently.
        columns = max(1, x.shape[1] // 3)
        for min_leaf in (1, 5):
            r2 = []
            for seed in range(REGRESSION_SEEDS):
                forest = RandomForestRegressor(
                    n_estimators=100,
                    max_features=columns,
                    min_samples_leaf=min_leaf,
                    random_state=seed,
                )
                forest.fit(x[:train], y[:train])
                r2.append(r2_score(y[train:], forest.predict(x[train:])))
            shape = f"{len(x)},{x.shape[1]},{train},{crc:08x}"
            lines.append(f"{make.__name__},{shape},{min_leaf},{np.mean(r2):.4f},{np.std(r2):.4f}")
            print(lines[-1], flush=True)
    return lines


def main():
    by_set, by_row = isolation_forests()
    files = {"isolation_forest.csv": by_set, "scores.csv": by_row, "random_forest.csv": random_forests()}
    differ = []
    for name, lines in files.items():
        text = "\n".join(lines) + "\n"
        if "--check" not in sys.argv:
            (HERE / name).write_text(text)
        elif (HERE / name).read_text() != text:
            differ.append(name)
    if differ:
        sys.exit(f"not as stored: {', '.join(differ)}")


if __name__ == "__main__":
    main()
