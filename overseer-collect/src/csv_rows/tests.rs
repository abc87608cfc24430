//! Every clause of the contract for input files.

use super::*;
use crate::{read_frame, read_frame_from};
use overseer_core::Frame;
use proptest::prelude::*;

fn read(text: &[u8]) -> Result<Frame> {
    let options = ReadOptions::default()
        .with_step(Span::from_secs(60))
        .with_start(Timestamp::from_millis(1000));
    read_frame_from("f.csv", text, &options)
}

fn column(frame: &Frame, i: usize) -> Vec<Option<f64>> {
    frame.column(i).map(|v| (!v.is_nan()).then_some(v)).collect()
}

fn millis(frame: &Frame) -> Vec<i64> {
    frame.timestamps().iter().map(|t| t.as_millis()).collect()
}

fn message(text: &[u8]) -> String {
    read(text).unwrap_err().to_string()
}

#[test]
fn empty_and_nan_in_any_case_are_missing_and_zero_is_not() {
    let f = read(b"a,b\n1,\nNaN,nan\n\"\", 0 \nNAN,-2.5e3\n").unwrap();
    assert_eq!(column(&f, 0), [Some(1.0), None, None, None]);
    assert_eq!(column(&f, 1), [None, None, Some(0.0), Some(-2500.0)]);
}

#[test]
fn without_times_the_step_spaces_the_rows_from_the_start() {
    let f = read(b"cpu\n1\n2\n3\n").unwrap();
    assert_eq!(millis(&f), [1000, 61_000, 121_000]);
    for step in [ReadOptions::default(), ReadOptions::default().with_step(Span::default())] {
        let e = read_frame_from("f.csv", &b"cpu\n1\n"[..], &step).unwrap_err();
        assert!(e.is_invalid_input() && e.to_string().contains("step"), "{e}");
    }
}

#[test]
fn a_first_column_timestamp_in_any_case_gives_the_times() {
    let f = read(b" TimeStamp ,a\n2024-03-01T12:00:00Z,1\n2024-03-01 12:00:01,2\n1709294402,3\n")
        .unwrap();
    assert_eq!(millis(&f), [1_709_294_400_000, 1_709_294_401_000, 1_709_294_402_000]);
    assert_eq!(f.schema().len(), 1);
}

#[test]
fn a_column_timestamp_elsewhere_is_a_feature() {
    let f = read(b"a,timestamp\n1,5\n").unwrap();
    assert_eq!(millis(&f), [1000]);
    assert_eq!(column(&f, 1), [Some(5.0)]);
}

#[test]
fn times_without_a_zone_are_utc_unless_said_otherwise() {
    let text = &b"timestamp,a\n2024-03-01 12:00:00,1\n2024-03-01T12:00:00Z,2\n"[..];
    let berlin = ReadOptions::default().with_time_zone("Europe/Berlin").unwrap();
    let f = read_frame_from("f.csv", text, &berlin).unwrap();
    assert_eq!(millis(&f), [1_709_290_800_000, 1_709_294_400_000]);
    assert!(ReadOptions::default().with_time_zone("Mars/Olympus").unwrap_err().is_invalid_input());
}

#[test]
fn the_hosts_names_bring_the_hosts_units() {
    let f = read(b"system.cpu.utilization,other\n0.5,1\n").unwrap();
    let known = host::schema();
    assert_eq!(f.schema().features()[0], known.features()[0]);
    assert_eq!(f.schema().features()[1].unit, Unit::Unknown);
}

#[test]
fn errors_name_file_line_and_column() {
    let cases: [(&[u8], &str); 17] = [
        (b"cpu,b\n1,2\nabc,3\n", "f.csv, line 3, column `cpu`: `abc` is not a number"),
        (b"cpu,b\r\n1,2\r\nabc,3\r\n", "f.csv, line 3, column `cpu`: `abc` is not a number"),
        (b"cpu,b\r1,2\rabc,3", "f.csv, line 3, column `cpu`: `abc` is not a number"),
        (b"\n\ncpu,b\n\n1,2\n\n\nabc,3", "f.csv, line 8, column `cpu`: `abc` is not a number"),
        (b"a,b\n1,inf\n", "f.csv, line 2, column `b`: `inf` is infinite"),
        (b"a,b\n1,-1e999\n", "f.csv, line 2, column `b`: `-1e999` is infinite"),
        (b"a,b\n1,2\n1,2,3\n", "f.csv, line 3: 3 fields where the header has 2"),
        (b"a,b\n1,2\n1\n", "f.csv, line 3: 1 field where the header has 2"),
        (b"a,b, a\n1,2,3\n", "f.csv, line 1, column 3: the name `a` is given twice"),
        (b"a, ,c\n1,2,3\n", "f.csv, line 1, column 2: the column has no name"),
        (b"timestamp\n5\n", "f.csv, line 1: there is no column besides `timestamp`"),
        (b"", "f.csv: the file is empty: it needs a header"),
        (b"\xef\xbb\xbf\r\n", "f.csv: the file is empty: it needs a header"),
        (b"a,b\n", "f.csv: there is no row below the header"),
        (b"a\n1\n\xff\xfe\n", "f.csv, line 3, column `a`: `\u{fffd}\u{fffd}` is not UTF-8"),
        (
            b"timestamp,a\n100,1\n99,2\n",
            "f.csv, line 3, column `timestamp`: `99` is before the time of the row above",
        ),
        (
            b"timestamp,a\n100,1\n,2\n",
            "f.csv, line 3, column `timestamp`: `` is not a time, and every row needs one",
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(message(text), expected, "{:?}", String::from_utf8_lossy(text));
    }
    assert!(message(b"a,\xff\n1,2\n").contains("line 1, column 2: the name"));
    assert!(message(b"timestamp,a\nnoon,1\n").contains("`noon` is not a time: RFC 3339"));
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let e = read_frame("/no/such/file.csv", &ReadOptions::default()).unwrap_err();
    assert!(e.to_string().contains("/no/such/file.csv"));
}

#[test]
fn a_long_or_unprintable_cell_does_not_fill_the_screen() {
    let long = message(format!("a\n{}\u{1b}[2J\n", "x".repeat(500)).as_bytes());
    assert!(long.chars().count() < 100 && long.contains('…'), "{long}");
    assert!(!message(b"a\n\x1b[2J\n").contains('\u{1b}'));
}

#[test]
fn marks_line_ends_quotes_and_blank_lines_change_nothing() {
    let plain = read(b"timestamp,a\n1,2\n3,4\n").unwrap();
    for text in [
        &b"\xef\xbb\xbftimestamp,a\r\n1,2\r\n3,4\r\n"[..],
        b"timestamp,a\r1,2\r3,4",
        b"\"timestamp\",\"a\"\n\"1\",\"2\"\n3,4",
        b"timestamp,a\n\n1,2\n\n\n3,4\n\n\n",
    ] {
        let f = read(text).unwrap();
        assert_eq!((millis(&f), column(&f, 0)), (millis(&plain), column(&plain, 0)));
    }
}

#[test]
fn equal_times_are_allowed() {
    assert_eq!(millis(&read(b"timestamp,a\n5,1\n5,2\n").unwrap()), [5000, 5000]);
}

#[test]
fn in_a_file_of_one_column_a_blank_line_is_a_missing_value() {
    let f = read(b"a\n1\n\n\n4\n\n6\n\n").unwrap();
    assert_eq!(column(&f, 0), [Some(1.0), None, None, Some(4.0), None, Some(6.0)]);
    assert_eq!(millis(&f)[5], 301_000);
    assert!(message(b"a\n1\n\nx\n").starts_with("f.csv, line 4"));
}

#[test]
fn rows_come_one_by_one_and_stop_at_an_error() {
    let text = &b"a\n1\n2\nx\n4\n"[..];
    let options = ReadOptions::default().with_step(Span::from_secs(1));
    let mut rows = CsvRows::new("f.csv", text, &options).unwrap();
    assert_eq!(rows.next().unwrap().unwrap().values, [1.0]);
    assert_eq!(rows.line(), 2);
    assert!(rows.next().unwrap().is_ok() && rows.next().unwrap().is_err());
    assert!(rows.next().is_none() && rows.next().is_none());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn what_is_written_is_read_back(
        rows in prop::collection::vec(prop::collection::vec(prop::option::of(-1e300..1e300_f64), 3), 1..20),
    ) {
        let cell = |v: &Option<f64>| v.map_or(String::new(), |v| v.to_string());
        let mut text = "timestamp,x,y z,\"q,r\"\n".to_owned();
        for (i, row) in rows.iter().enumerate() {
            let cells: Vec<String> = row.iter().map(cell).collect();
            text.push_str(&format!("{},{}\n", i * 10, cells.join(",")));
        }
        let f = read(text.as_bytes()).unwrap();
        prop_assert_eq!(f.len(), rows.len());
        prop_assert_eq!(&f.schema().features()[2].name, "q,r");
        for (i, row) in rows.iter().enumerate() {
            let got: Vec<_> = f.row(i).iter().map(|v| (!v.is_nan()).then_some(*v)).collect();
            prop_assert_eq!(&got, row);
        }
    }

    #[test]
    fn garbage_gives_a_frame_or_an_error_and_never_a_panic(
        bytes in prop::collection::vec(
            prop_oneof![any::<u8>(), prop::sample::select(b"a1,,\n\n\r\"\".-".to_vec())], 0..200),
        headed in any::<bool>(),
    ) {
        let mut text = if headed { b"timestamp,a\n".to_vec() } else { Vec::new() };
        text.extend(bytes);
        if let Ok(f) = read(&text) {
            prop_assert!(!f.is_empty());
            prop_assert!(f.values().iter().all(|v| !v.is_infinite()));
        }
    }
}
