//! Which rows there are, what they are called, and what is wanted of each.

use super::goal::Goal;
use crate::OURS;
use crate::data::Sizes;

/// What stands above the tables.
pub(super) const HEADING: &str = "\
# Speed beside the peers

Written by `benches/compare/run`; edit that, not this. A figure is the median processor time of a call on one core, of
the same data for everybody, all within one run. Only ratios carry over to other machines: a ratio is the best peer's
figure (in bold) over ours, so above 1× we take less. Different rows are scored in turn: a row that repeats would
flatter a forest up to tenfold. Peers are built as their registries deliver them, ours without flags for this machine.
";

/// The columns of the tables, in their order.
pub(super) const PEERS: [&str; 20] = [
    "scikit-learn",
    "isotree",
    "ydf",
    "lightgbm",
    "rustyml",
    "extended-isolation-forest",
    "smartcore",
    "biosphere",
    "numpy.polyfit",
    "numpy, cached pseudo-inverse",
    "realfft",
    "scipy",
    "numpy",
    "sysinfo with processes",
    "sysinfo",
    "psutil",
    "procfs",
    "rusqlite",
    "Python design",
    OURS,
];

/// What a row's figures are.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Unit {
    /// Microseconds; fewer are better.
    Micros,
    /// Bytes; fewer are better.
    Bytes,
    /// AUC or R²; more is better.
    Quality,
}

/// A row of a table.
#[derive(Debug)]
pub(super) struct Row {
    /// The name that both halves record it under.
    pub(super) id: &'static str,
    /// What it says, with `{...}` for sizes.
    label: &'static str,
    pub(super) unit: Unit,
    pub(super) goal: Goal,
}

impl Row {
    /// The words for a reader.
    pub(super) fn label(&self, sizes: &Sizes) -> String {
        [
            ("{trees}", sizes.trees),
            ("{small}", sizes.iforest_small),
            ("{large}", sizes.iforest_large),
            ("{rows}", sizes.forest_small),
            ("{many}", sizes.forest_large),
            ("{held}", sizes.forest_held),
        ]
        .into_iter()
        .fold(self.label.to_owned(), |text, (name, size)| text.replace(name, &grouped(size)))
    }
}

/// A number with commas.
fn grouped(n: usize) -> String {
    if n < 1000 { n.to_string() } else { format!("{},{:03}", grouped(n / 1000), n % 1000) }
}

/// A table of `docs/performance.md`.
#[derive(Debug)]
pub(super) struct Table {
    pub(super) title: &'static str,
    pub(super) about: &'static str,
    /// Whether each peer has a column; otherwise, where each has but a row or two, they share one.
    pub(super) columns: bool,
    pub(super) rows: &'static [Row],
}

const fn micros(id: &'static str, label: &'static str, goal: Goal) -> Row {
    Row { id, label, unit: Unit::Micros, goal }
}

const fn bytes(id: &'static str, label: &'static str, goal: Goal) -> Row {
    Row { id, label, unit: Unit::Bytes, goal }
}

const fn quality(id: &'static str, label: &'static str, goal: Goal) -> Row {
    Row { id, label, unit: Unit::Quality, goal }
}

pub(super) const TABLES: &[Table] = &[
    Table {
        title: "Isolation forest",
        about: "100 trees of 256 rows each, eight features of a made-up host with the rhythm of a day, autoregressive \
                noise and spikes in half a per cent of the rows. The quality is the area under the curve (AUC) that \
                tells spikes from other rows, on rows nobody learned from, as a mean over five forests.",
        columns: true,
        rows: &[
            micros("iforest.train_small", "train on {small} rows", Goal::Times(2.0)),
            micros("iforest.train_large", "train on {large} rows", Goal::Times(3.0)),
            micros("iforest.score_1", "score 1 row", Goal::Times(3.5)),
            micros("iforest.score_small", "score {small} rows", Goal::Times(7.0)),
            micros("iforest.score_large", "score {large} rows", Goal::Times(4.0)),
            quality("iforest.auc", "AUC", Goal::AtLeast("scikit-learn", 0.005)),
        ],
    },
    Table {
        title: "Extended isolation forest",
        about: "The same with random hyperplanes through all eight features.",
        columns: true,
        rows: &[
            micros("extended.train_small", "train on {small} rows", Goal::None),
            micros("extended.train_large", "train on {large} rows", Goal::None),
            micros("extended.score_1", "score 1 row", Goal::None),
            micros("extended.score_small", "score {small} rows", Goal::None),
            micros("extended.score_large", "score {large} rows", Goal::None),
            quality("extended.auc", "AUC", Goal::None),
        ],
    },
    Table {
        title: "Random forest",
        about: "Regression by 100 trees on 80 columns, ten lags of the eight features, full-grown unless said; a third \
                is 27 of the columns at each split. LightGBM has 63 bins a column, where it is fastest at equal R². The quality is the share of variance explained (R²) of rows nobody \
                learned from.",
        columns: true,
        rows: &[
            micros("forest.train_small_third", "train on {rows} rows, a third", Goal::Times(2.5)),
            micros("forest.train_small_all", "train on {rows} rows, all columns", Goal::Times(1.5)),
            micros("forest.train_large_third", "train on {many} rows, a third", Goal::Times(5.0)),
            micros("forest.train_large_leaf5", "the same, leaves of 5", Goal::Times(4.0)),
            micros("forest.predict_1", "predict 1 row (model of {rows})", Goal::Times(3.0)),
            micros(
                "forest.predict_held_small",
                "predict {held} (model of {rows})",
                Goal::Times(2.5),
            ),
            micros(
                "forest.predict_held_large",
                "predict {held} (model of {many})",
                Goal::Times(2.5),
            ),
            quality(
                "forest.r2_small_third",
                "R², {rows} rows, a third",
                Goal::AtLeast("scikit-learn", 0.01),
            ),
            quality(
                "forest.r2_small_all",
                "R², {rows} rows, all",
                Goal::AtLeast("scikit-learn", 0.01),
            ),
            quality(
                "forest.r2_large_third",
                "R², {many} rows, a third",
                Goal::AtLeast("scikit-learn", 0.01),
            ),
            quality("forest.r2_large_leaf5", "R², leaves of 5", Goal::AtLeast("ydf", 0.01)),
        ],
    },
    Table {
        title: "Trend",
        about: "A polynomial of degree 3 through 1,000 evenly spaced points, and the autocorrelation of all lags of as \
                many, where ours is realfft with missing values allowed: within a tenth of realfft by hand. The window \
                moves with each call.",
        columns: false,
        rows: &[
            micros(
                "trend.cubic",
                "degree 3, coefficients",
                Goal::Over(&[("numpy.polyfit", 100.0), ("numpy, cached pseudo-inverse", 2.0)]),
            ),
            micros("trend.cubic_errors", "degree 3, with standard errors", Goal::None),
            micros("trend.autocorrelation", "autocorrelation", Goal::Within(1.1)),
        ],
    },
    Table {
        title: "Around the models",
        about: "One look at this host; one row a transaction into a write-ahead log with `synchronous=NORMAL`, beside \
                `rusqlite` with the same table and settings; and the models' files beside pickles of the same models, \
                where the ratio is our share of the pickle.",
        columns: false,
        rows: &[
            micros("rest.snapshot", "a look at the host, 75 processes", Goal::Under(90.0)),
            micros("rest.snapshot_2000", "a look at the host, 2,000 processes", Goal::Under(90.0)),
            micros("rest.processes", "a look at the processes", Goal::None),
            micros("rest.insert_1", "store 1 row", Goal::Within(1.1)),
            micros("rest.insert_1000", "store 1,000 rows at once", Goal::Within(1.1)),
            bytes("rest.file_iforest", "isolation forest, {trees} trees", Goal::Share(0.07)),
            bytes("rest.file_forest", "random forest of {rows} rows", Goal::Share(0.08)),
        ],
    },
    Table {
        title: "The whole cycle",
        about: "The Python design does all of this each time, from psutil, scikit-learn, numpy and sqlite3: a look at \
                the host, the score of one row, predictions of two series from ten lags, two polynomials of degree 3, \
                six rows stored. Beside it our engine as it runs, with forecasts each minute and patterns of all \
                features each five, as the mean of a five-second tick; and our models doing the very same work by \
                hand. A pause before each time lets caches grow cold, as they do in a sampler that sleeps, the more so \
                the more else the machine does.",
        columns: true,
        rows: &[
            micros("cycle.engine", "a tick of the engine", Goal::Times(100.0)),
            micros("cycle.engine_paused", "the same after 0.1 s of sleep", Goal::None),
            micros("cycle.parts", "the same work by hand", Goal::None),
            micros("cycle.start", "start to first answer, training included", Goal::None),
            bytes("cycle.resident", "resident memory", Goal::Under(20e6)),
        ],
    },
];
