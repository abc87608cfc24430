use super::*;

#[test]
fn any_number_of_threads_gives_the_same() {
    let rows = cloud_with_gaps(1000, 4, 1);
    let with = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let mut forests = one_of_each(&rows);
            let params = builder().build().unwrap();
            forests[0].refresh(cloud(300, 4, 2).view(), 11, &params).unwrap();
            let scores = forests.clone().map(|forest| scores(&forest, &rows));
            (forests, scores)
        })
    };
    let one = with(1);
    assert_eq!(one, with(2));
    assert_eq!(one, with(7));
}

#[test]
fn the_first_infinite_value_is_named_whoever_finds_one() {
    let mut rows = cloud(5000, 4, 3);
    let forest = fitted(&rows);
    for row in [700, 4000, 4999] {
        rows[[row, 1]] = f64::INFINITY;
    }
    let e = forest.score_rows(rows.view(), &mut Vec::new()).unwrap_err();
    assert_eq!(e.to_string(), "row 700, column 1: the value is infinite");
}
