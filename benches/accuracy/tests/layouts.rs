//! Data as it was published are found and read as they are, and what is wrong with them is named.

#![allow(clippy::unwrap_used, reason = "in tests a panic is the report")]

use overseer_accuracy::data::{Entry, Split, check, find};
use std::fs;
use std::path::Path;

fn write(root: &Path, path: &str, content: &str) {
    let path = root.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, content).unwrap();
}

fn names(entries: &[Entry]) -> Vec<String> {
    entries.iter().map(|e| format!("{}/{}", e.corpus, e.name)).collect()
}

/// A folder that holds three repositories side by side.
fn published() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path();
    for machine in ["machine-1-6", "machine-1-10", "machine-1-9"] {
        let base = "OmniAnomaly/ServerMachineDataset";
        write(root, &format!("{base}/train/{machine}.txt"), "1,2\n3,4\n");
        write(root, &format!("{base}/test/{machine}.txt"), "5,6\n7,8\n9,10\n");
        write(root, &format!("{base}/test_label/{machine}.txt"), "0\n1\n1\n");
    }
    write(root, "JumpStarter/dataset/Dataset2/train/service2.csv", "0.1\n0.2\n");
    write(root, "JumpStarter/dataset/Dataset2/test/service2.csv", "0.3\n0.4\n");
    write(root, "JumpStarter/dataset/Dataset2/test_label/service2.csv", "0\n0\n");
    // A file that some file managers leave behind.
    write(root, "JumpStarter/dataset/Dataset2/test/.DS_Store", "");
    let windows = r#"{"realKnownCause/rogue_agent_key_hold.csv": [["2014-04-01 00:05:00.000000",
        "2014-04-01 00:10:00.000000"]], "realTweets/Twitter_volume_FB.csv": []}"#;
    write(root, "NAB/labels/combined_windows.json", windows);
    let rows = "timestamp,value\n2014-04-01 00:00:00,1.0\n2014-04-01 00:05:00,2.0\n2014-04-01 00:10:00,3.0\n";
    write(root, "NAB/data/realKnownCause/rogue_agent_key_hold.csv", rows);
    write(root, "NAB/data/realTweets/Twitter_volume_FB.csv", rows);
    dir
}

#[test]
fn published_repositories_are_found_side_by_side() {
    let dir = published();
    let all = find(dir.path(), &Split::All).unwrap();
    assert_eq!(
        names(&all),
        [
            "js2/service2",
            "nab/realKnownCause/rogue_agent_key_hold.csv",
            "nab/realTweets/Twitter_volume_FB.csv",
            "smd/machine-1-6",
            "smd/machine-1-9",
            "smd/machine-1-10",
        ]
    );
    let machine = all[3].read().unwrap();
    assert_eq!(machine.history.as_ref().unwrap().len(), 2);
    assert_eq!((machine.rows.len(), machine.events), (3, vec![1..=2]));
    assert_eq!(machine.rows.timestamps()[0].as_millis(), 120_000, "the input follows the history");
    let metric = all[1].read().unwrap();
    assert!(metric.history.is_none());
    assert_eq!((metric.step.as_millis(), metric.events), (300_000, vec![1..=2]));
    // Nothing says that these are what the figures were measured on.
    assert!(!check(&all).unwrap().warnings.is_empty());
}

#[test]
fn of_published_data_the_development_split_is_what_the_checksums_name() {
    let dir = published();
    let dev = find(dir.path(), &Split::Named("dev".to_owned())).unwrap();
    assert_eq!(
        names(&dev),
        ["js2/service2", "nab/realKnownCause/rogue_agent_key_hold.csv", "smd/machine-1-6"]
    );
    let message = find(dir.path(), &Split::Named("other".to_owned())).unwrap_err().to_string();
    assert!(message.contains("no labelled series of the split `other`"), "{message}");
}

#[test]
fn one_repository_may_be_given_by_itself() {
    let dir = published();
    let all = |path: &str| find(&dir.path().join(path), &Split::All).unwrap().len();
    assert_eq!(
        (all("NAB"), all("OmniAnomaly/ServerMachineDataset"), all("JumpStarter")),
        (2, 3, 1)
    );
}

#[test]
fn what_does_not_fit_together_is_an_error_that_names_the_file() {
    let dir = published();
    let base = "OmniAnomaly/ServerMachineDataset";
    let wrong = |path: &str, content: &str, expected: &str| {
        write(dir.path(), path, content);
        let all = find(dir.path(), &Split::All).unwrap();
        let message = all.iter().find_map(|e| e.read().err()).unwrap().to_string();
        let file = path.rsplit('/').next().unwrap();
        assert!(message.contains(file) && message.contains(expected), "{message}");
    };
    wrong(&format!("{base}/test_label/machine-1-6.txt"), "0\n1\n", "2 labels of the 3 rows");
    wrong(&format!("{base}/test_label/machine-1-6.txt"), "0\n1\n7\n", "line 3");
    wrong(&format!("{base}/test/machine-1-6.txt"), "5\n6\n7\n", "1 columns where");
    fs::remove_file(dir.path().join(base).join("train/machine-1-6.txt")).unwrap();
    let all = find(dir.path(), &Split::All).unwrap();
    let message = all[3].read().unwrap_err().to_string();
    assert!(message.contains("train/machine-1-6.txt"), "{message}");
}

#[test]
fn a_list_that_is_none_is_an_error_that_names_it_and_an_empty_folder_has_no_series() {
    let dir = tempfile::tempdir().unwrap();
    let find = || find(dir.path(), &Split::All).unwrap_err().to_string();
    assert!(find().contains("no labelled series"));
    for (content, expected) in [
        ("[", "split.json"),
        (r#"{"mts": {"smd/a": {"split": "dev", "interval_s": 0}}}"#, "mts, smd/a: interval_s"),
        (r#"{"mts": {"smd": {"split": "dev", "interval_s": 60}}}"#, "CORPUS/SERIES"),
    ] {
        write(dir.path(), "split.json", content);
        assert!(find().contains(expected), "{}", find());
    }
}
