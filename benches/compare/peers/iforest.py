"""Isolation forests of scikit-learn, isotree and YDF."""

import statistics

import data
import isotree
import ydf
from clock import Bench, measure, versions, write
from sklearn.ensemble import IsolationForest
from sklearn.metrics import roc_auc_score

SAMPLE = 256
ROTATED = 1000
# Forests that the quality is a mean over: that of one hangs on chance.
SEEDS = range(1, 6)
CALL = "one call from Python, whose own cost is part of it"


def run(directory):
    versions("scikit-learn", "isotree", "ydf")
    ydf.verbose(0)
    sizes = data.sizes(directory)
    bench = Bench(sizes)
    trees = sizes["trees"]
    read = {name: data.read(directory, name) for name in ("host", "held", "spikes")}

    def sklearn(x, seed=1):
        return IsolationForest(
            n_estimators=trees, max_samples=min(SAMPLE, len(x)), n_jobs=1, random_state=seed
        ).fit(x)

    def isotree_of(dimensions):
        # Its depth is the paper's unless told.
        return lambda x, seed=1: isotree.IsolationForest(
            ntrees=trees, sample_size=min(SAMPLE, len(x)), ndim=dimensions, ntry=1, nthreads=1,
            missing_action="fail", random_seed=seed,
        ).fit(x)

    # scikit-learn's scores are negative, the lowest the most anomalous.
    compare(bench, sizes, read, "iforest", "scikit-learn", sklearn, lambda f, x: -f.score_samples(x), CALL)
    compare(bench, sizes, read, "iforest", "isotree", isotree_of(1), lambda f, x: f.predict(x), CALL)
    compare_ydf(bench, sizes, read, trees)
    compare(bench, sizes, read, "extended", "isotree", isotree_of(data.FEATURES), lambda f, x: f.predict(x), CALL)


def compare(bench, sizes, read, table, peer, fit, score, call_note):
    host = read["host"]
    small = host[: sizes["iforest_small"]].copy()
    bench.time(f"{table}.train_small", peer, lambda _: fit(small))
    forest = bench.time(f"{table}.train_large", peer, lambda _: fit(host))
    if forest is None:
        return
    rows = [host[i : i + 1].copy() for i in data.spread(len(host), ROTATED)]
    batches = [host[i : i + len(small)].copy() for i in range(0, len(host) - len(small) + 1, len(small))]
    bench.time(f"{table}.score_1", peer, lambda i: score(forest, rows[i % len(rows)]), call_note)
    bench.time(f"{table}.score_small", peer, lambda i: score(forest, batches[i % len(batches)]))
    bench.time(f"{table}.score_large", peer, lambda _: score(forest, host))
    areas = [roc_auc_score(read["spikes"], score(fit(host, seed), read["held"])) for seed in SEEDS]
    write(f"{table}.auc", peer, statistics.mean(areas))


def compare_ydf(bench, sizes, read, trees):
    """YDF takes named columns and a data set of its own, which is made outside what is timed."""

    def columns(x):
        return {f"f{i}": x[:, i].astype("float32") for i in range(x.shape[1])}

    def learner(rows, seed=1):
        return ydf.IsolationForestLearner(
            num_trees=trees, subsample_count=min(SAMPLE, rows), min_examples=1, num_threads=1, random_seed=seed
        )

    host = read["host"]
    n = sizes["iforest_small"]
    small, large = (ydf.create_vertical_dataset(columns(x)) for x in (host[:n], host))
    bench.time("iforest.train_small", "ydf", lambda _: learner(n).train(small))
    forest = bench.time("iforest.train_large", "ydf", lambda _: learner(len(host)).train(large))
    if forest is None:
        return

    # A call from Python costs far more than the row: what counts is what the C++ engine says of itself.
    singles = [columns(host[i : i + 1]) for i in data.spread(len(host), ROTATED)]
    single_row(bench, "iforest.score_1", forest, singles, ydf.create_vertical_dataset(columns(read["held"])))
    batches = [ydf.create_vertical_dataset(columns(host[i : i + n])) for i in range(0, len(host) - n + 1, n)]
    bench.time("iforest.score_small", "ydf", lambda i: forest.predict(batches[i % len(batches)], num_threads=1))
    bench.time("iforest.score_large", "ydf", lambda _: forest.predict(large, num_threads=1))
    held = ydf.create_vertical_dataset(columns(read["held"]))
    forests = [learner(len(host), seed).train(large) for seed in SEEDS]
    areas = [roc_auc_score(read["spikes"], forest.predict(held, num_threads=1)) for forest in forests]
    write("iforest.auc", "ydf", statistics.mean(areas))


def single_row(bench, row, model, singles, many):
    """One row at a time in YDF's C++ engine, with the cost of a call from Python as a note."""
    call, _, _ = measure(bench.budget, lambda i: model.predict(singles[i % len(singles)], num_threads=1))
    # It measures on the wall, where other work of the machine would count: the best of five does least.
    share = bench.budget / 5
    options = {"benchmark_duration": share, "warmup_duration": share, "batch_size": 1, "num_threads": 1}
    seconds = min(model.benchmark(many, **options).duration_per_example for _ in range(5))
    note = f"its C++ engine through `model.benchmark`, on the wall; a call from Python takes {call:.0f} µs"
    write(row, "ydf", 1e6 * seconds, 5, note)
