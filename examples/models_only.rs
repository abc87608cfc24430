//! Uses `overseer-models` by itself, on an array: no host, no database, no engine.

use ndarray::Array2;
use overseer_models::isolation_forest::IsolationForest;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // 500 rows on a ring, and one in its middle: each coordinate is ordinary, the row is not.
    let rows = Array2::from_shape_fn((501, 2), |(i, j)| {
        let angle = i as f64 * 0.7;
        match (i, j) {
            (500, _) => 0.0,
            (_, 0) => angle.cos() + 0.02 * (i % 7) as f64,
            _ => angle.sin() + 0.02 * (i % 5) as f64,
        }
    });
    let forest = IsolationForest::builder().trees(200).seed(7).build()?.fit(rows.view())?;
    let mut scores = Vec::new();
    forest.score_rows(rows.view(), &mut scores)?;
    let rank = scores.iter().filter(|&&s| s > scores[500]).count();
    println!("the row in the middle scores {:.3}; {rank} of 500 score higher", scores[500]);
    Ok(())
}
