"""Random forests of scikit-learn, YDF and LightGBM."""

import data
import lightgbm
import ydf
from clock import Bench, versions, write
from iforest import CALL, single_row
from sklearn.ensemble import RandomForestRegressor
from sklearn.metrics import r2_score

ROTATED = 1000
# LightGBM's full-grown trees on all rows take minutes: so many are grown, and their time is scaled up.
SLOW_TREES = 5


def run(directory):
    versions("scikit-learn", "ydf", "lightgbm")
    ydf.verbose(0)
    sizes = data.sizes(directory)
    bench = Bench(sizes)
    read = {name: data.read(directory, name) for name in ("x", "y", "held_x", "held_y")}
    for peer in (Sklearn, Ydf, Lightgbm):
        compare(bench, sizes, read, peer(sizes["trees"]))


def compare(bench, sizes, read, peer):
    name = peer.name
    held = peer.rows(read["held_x"])

    def judge(row, forest):
        write(row, name, r2_score(read["held_y"], peer.predict(forest, held)))

    n = sizes["forest_small"]
    small = peer.table(read["x"][:n].copy(), read["y"][:n].copy())
    large = peer.table(read["x"], read["y"])

    forest = bench.time("forest.train_small_all", name, lambda _: peer.fit(small, data.COLUMNS, 1))
    if forest is not None:
        judge("forest.r2_small_all", forest)
    forest = bench.time("forest.train_small_third", name, lambda _: peer.fit(small, data.THIRD, 1))
    if forest is not None:
        judge("forest.r2_small_third", forest)
        peer.time_single(bench, forest, read["held_x"], held)
        bench.time("forest.predict_held_small", name, lambda _: peer.predict(forest, held))

    slow = peer.slow_trees if not sizes["quick"] else None
    if slow is None:
        forest = bench.time("forest.train_large_third", name, lambda _: peer.fit(large, data.THIRD, 1))
        if forest is not None:
            judge("forest.r2_large_third", forest)
            bench.time("forest.predict_held_large", name, lambda _: peer.predict(forest, held))
    else:
        scale = sizes["trees"] / slow
        note = f"measured with {slow} trees, and its time taken {scale:g} times"
        forest = bench.time(
            "forest.train_large_third", name, lambda _: peer.fit(large, data.THIRD, 1, slow), note, scale
        )
        if forest is not None:
            bench.time("forest.predict_held_large", name, lambda _: peer.predict(forest, held), note, scale)
    if peer.has_leaf5:
        forest = bench.time("forest.train_large_leaf5", name, lambda _: peer.fit(large, data.THIRD, 5))
        if forest is not None:
            judge("forest.r2_large_leaf5", forest)


class Sklearn:
    name = "scikit-learn"
    slow_trees = None
    # Full-grown it is already the slowest of those that take exact splits.
    has_leaf5 = False

    def __init__(self, trees):
        self.trees = trees

    def rows(self, x):
        return x

    def table(self, x, y):
        return x, y

    def fit(self, table, features, leaf):
        return RandomForestRegressor(
            n_estimators=self.trees, max_features=features, min_samples_leaf=leaf, n_jobs=1, random_state=1
        ).fit(*table)

    def predict(self, forest, x):
        return forest.predict(x)

    def time_single(self, bench, forest, x, _):
        rows = [x[i : i + 1].copy() for i in data.spread(len(x), ROTATED)]
        bench.time("forest.predict_1", self.name, lambda i: forest.predict(rows[i % len(rows)]), CALL)


class Ydf:
    name = "ydf"
    slow_trees = None
    has_leaf5 = True

    def __init__(self, trees):
        self.trees = trees

    def columns(self, x):
        return {f"f{i}": x[:, i].astype("float32") for i in range(x.shape[1])}

    def rows(self, x):
        return ydf.create_vertical_dataset(self.columns(x))

    def table(self, x, y):
        return ydf.create_vertical_dataset(self.columns(x) | {"y": y.astype("float32")})

    def fit(self, table, features, leaf):
        # Neither out-of-bag figures nor what is only for reading a model: what the others do not make either.
        return ydf.RandomForestLearner(
            label="y", task=ydf.Task.REGRESSION, num_trees=self.trees, max_depth=-1, min_examples=leaf,
            num_candidate_attributes=features, compute_oob_performances=False, pure_serving_model=True,
            num_threads=1, random_seed=1,
        ).train(table)

    def predict(self, forest, x):
        return forest.predict(x, num_threads=1)

    def time_single(self, bench, forest, x, held):
        singles = [self.columns(x[i : i + 1]) for i in data.spread(len(x), ROTATED)]
        single_row(bench, "forest.predict_1", forest, singles, held)


class Lightgbm:
    name = "lightgbm"
    slow_trees = SLOW_TREES
    has_leaf5 = True

    def __init__(self, trees):
        self.trees = trees

    def rows(self, x):
        return x

    def table(self, x, y):
        return x, y

    def fit(self, table, features, leaf, trees=None):
        x, y = table
        parameters = {
            "objective": "regression", "boosting": "rf", "bagging_freq": 1, "bagging_fraction": 0.632,
            "feature_fraction_bynode": features / data.COLUMNS, "min_data_in_leaf": leaf,
            "num_leaves": len(x) // leaf, "min_sum_hessian_in_leaf": 0, "num_threads": 1, "verbosity": -1, "seed": 1,
            # What makes it fastest here at the same R²: fewer bins, a bounded pool of histograms, and not trying out
            # at every fit which way of building them is faster.
            "max_bin": 63, "histogram_pool_size": 64, "force_col_wise": True,
        }
        rows = lightgbm.Dataset(x, label=y, params=parameters)
        return lightgbm.train(parameters, rows, num_boost_round=trees or self.trees)

    def predict(self, forest, x):
        return forest.predict(x, num_threads=1)

    def time_single(self, bench, forest, x, _):
        rows = [x[i : i + 1].copy() for i in data.spread(len(x), ROTATED)]
        predict = lambda i: forest.predict(rows[i % len(rows)], num_threads=1)  # noqa: E731
        bench.time("forest.predict_1", self.name, predict, CALL)
