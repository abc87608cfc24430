use super::*;
use crate::file::{Reader, Writer};

fn stored(forest: &IsolationForest) -> Vec<u8> {
    let mut w = Writer::default();
    forest.write_to(&mut w);
    w.into_bytes()
}

fn read(bytes: &[u8]) -> overseer_core::Result<IsolationForest> {
    IsolationForest::read_from(&mut Reader::new(bytes))
}

#[test]
fn a_stored_forest_is_read_back_equal() {
    let rows = cloud_with_gaps(300, 4, 8);
    let mut forests = one_of_each(&rows).to_vec();
    forests.push(fitted(&cloud(1, 3, 1)));
    forests.push(fitted(&cloud(300, 200, 1)));
    let params = builder().build().unwrap();
    let mut refreshed = fitted(&rows);
    refreshed.refresh(cloud(20, 4, 1).view(), 7, &params).unwrap();
    forests.push(refreshed);
    for forest in forests {
        let bytes = stored(&forest);
        let mut r = Reader::new(&bytes);
        assert_eq!(IsolationForest::read_from(&mut r).unwrap(), forest);
        r.finish().unwrap();
    }
}

#[test]
fn a_stored_forest_takes_few_bytes() {
    // scikit-learn's pickle of such a forest takes 1.18 MB.
    let bytes = stored(&fitted(&cloud(1000, 8, 1))).len();
    assert!(bytes < 82_000, "{bytes}");
}

#[test]
fn a_refreshed_forest_goes_on_where_it_was_stored() {
    let rows = cloud(300, 4, 2);
    let params = builder().trees(9).build().unwrap();
    let mut forest = params.fit(rows.view()).unwrap();
    let mut loaded = read(&stored(&forest)).unwrap();
    forest.refresh(rows.view(), 4, &params).unwrap();
    loaded.refresh(rows.view(), 4, &params).unwrap();
    assert_eq!(forest, loaded);
}

#[test]
fn memory_is_in_proportion_to_what_was_stored() {
    // The most that can be claimed with the fewest bytes: trees just large enough to be padded.
    let rows = cloud(20, 2, 1);
    let forest = builder().trees(1000).build().unwrap().fit(rows.view()).unwrap();
    assert!(forest.bytes() < 50 * stored(&forest).len());
    let lie = |trees: u32, features: u32| {
        let mut w = Writer::default();
        w.u32(1 << 31 | 2);
        w.u32(features);
        w.u32(0);
        w.u32(trees);
        w.u64(u64::from(trees));
        w.into_bytes()
    };
    assert!(read(&lie(10_000, 1)).unwrap_err().is_corrupt());
    assert!(read(&lie(1, u32::MAX)).unwrap_err().is_corrupt());
}

/// The first format: features, rows of a tree, roots, codes, thresholds, children, rows of each node.
fn first_format(codes: &[u32], thresholds: &[f64], children: &[u32], sizes: &[u32]) -> Vec<u8> {
    let mut w = Writer::default();
    w.u32(2);
    w.u32(sizes[0]);
    w.u32s([0].into_iter());
    w.u32s(codes.iter().copied());
    w.f64s(thresholds.iter().copied());
    w.u32s(children.iter().copied());
    w.u32s(sizes.iter().copied());
    w.into_bytes()
}

const LEAF: u32 = (1 << 31) - 1;
const MISSING_RIGHT: u32 = 1 << 31;

/// Values of the second feature below 2.5 go left, where the first one decides; missing ones go right, then left.
fn small_forest_of_the_first_format() -> Vec<u8> {
    first_format(
        &[1 | MISSING_RIGHT, 0, LEAF, LEAF, LEAF],
        &[2.5, -7.0, 0.0, 0.0, 0.0],
        &[1, 3, 0, 0, 0],
        &[10, 3, 7, 1, 2],
    )
}

#[test]
fn a_forest_of_the_first_format_is_read() {
    let forest = read(&small_forest_of_the_first_format()).unwrap();
    assert_eq!((forest.features(), forest.trees()), (2, 1));
    let c = path::AveragePaths::up_to(10);
    let score = |path: f64| (-path / c.of(10)).exp2();
    for (row, path) in [
        ([0.0, 2.5], 1.0 + c.of(7)),
        ([0.0, f64::NAN], 1.0 + c.of(7)),
        ([-7.0, 2.4999], 2.0 + c.of(2)),
        ([-7.0001, 2.0], 2.0),
        ([f64::NAN, 2.0], 2.0),
    ] {
        assert!((forest.score(&row).unwrap() - score(path)).abs() < 1e-7, "{row:?}");
    }
}

#[test]
fn trees_of_the_first_format_that_are_none_are_refused() {
    struct Stored {
        codes: [u32; 5],
        thresholds: [f64; 5],
        children: [u32; 5],
        sizes: [u32; 5],
    }
    let with = |change: fn(&mut Stored)| {
        let mut s = Stored {
            codes: [1, 0, LEAF, LEAF, LEAF],
            thresholds: [2.5, -7.0, 0.0, 0.0, 0.0],
            children: [1, 3, 0, 0, 0],
            sizes: [10, 3, 7, 1, 2],
        };
        change(&mut s);
        read(&first_format(&s.codes, &s.thresholds, &s.children, &s.sizes))
    };
    assert!(with(|_| ()).is_ok());
    for change in [
        (|s| s.codes[0] = 2) as fn(&mut Stored),
        |s| s.codes[1] = LEAF,
        |s| s.thresholds[1] = f64::NAN,
        |s| s.children[1] = 0,
        |s| s.children[1] = 1,
        |s| s.children[1] = 4,
        |s| s.sizes[4] = 3,
        |s| s.sizes = [10, 10, 0, 10, 0],
    ] {
        assert!(with(change).unwrap_err().is_corrupt());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn damaged_bytes_are_refused_or_still_give_a_forest(
        which in 0..4_usize, at in any::<usize>(), bit in 0..8u32,
    ) {
        let small = |level| builder().trees(3).sample_size(16).extension_level(level);
        let rows = cloud_with_gaps(40, 4, 9);
        let fit = |b: IsolationForestBuilder| b.build().unwrap().fit(rows.view()).unwrap();
        let mut bytes = match which {
            0 => stored(&fit(small(0).sample_size(40))),
            1 => stored(&fit(small(0))),
            2 => stored(&fit(small(2))),
            _ => small_forest_of_the_first_format(),
        };
        let at = at % bytes.len();
        prop_assert!(read(&bytes[..at]).is_err());
        bytes[at] ^= 1 << bit;
        if let Ok(read) = read(&bytes) {
            let row = vec![0.3; read.features()];
            let score = read.score(&row).unwrap();
            prop_assert!((0.0..=1.0).contains(&score));
            read.contributions(&row, &mut vec![0.0; row.len()]).unwrap();
            let mut again = read.clone();
            let params = small(read.extension_level()).build().unwrap();
            again.refresh(Array2::zeros((4, row.len())).view(), 1, &params).unwrap();
        }
    }

    #[test]
    fn noise_is_no_forest(noise in proptest::collection::vec(any::<u8>(), 0..300)) {
        prop_assert!(read(&noise).is_err());
        let marked = [&(1_u32 << 31 | 2).to_le_bytes(), noise.as_slice()].concat();
        prop_assert!(read(&marked).is_err());
    }
}
