//! Every input that the fuzzer kept, tried once more.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "in tests a panic is the report")]

use overseer_fuzz_inputs::TARGETS;
use std::fs;
use std::path::{Path, PathBuf};

fn corpus(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../corpus").join(name)
}

#[test]
fn no_kept_input_makes_a_reader_panic() {
    let mut bytes = 0;
    for (name, target) in TARGETS {
        let mut files: Vec<PathBuf> =
            fs::read_dir(corpus(name)).unwrap().map(|f| f.unwrap().path()).collect();
        files.sort();
        assert!(files.len() >= 5, "the corpus of {name} is there");
        for file in files {
            let input = fs::read(&file).unwrap();
            bytes += input.len();
            // The name is what to look for where this fails.
            println!("{}", file.display());
            target(&input);
        }
    }
    assert!(bytes < 200_000, "the corpus stays small: {bytes} bytes");
}

/// Run once to begin a corpus: `cargo test -p overseer-fuzz-inputs -- --ignored write_the_seeds`.
#[test]
#[ignore = "writes files for the fuzzer"]
fn write_the_seeds() {
    let write = |name: &str, file: &str, first: u8, text: &[u8]| {
        fs::create_dir_all(corpus(name)).unwrap();
        fs::write(corpus(name).join(file), [&[first][..], text].concat()).unwrap();
    };
    for what in 0..4 {
        write("model", &format!("seed-{what}"), what, &[]);
    }
    write(
        "csv",
        "seed-times",
        2,
        b"timestamp,cpu,\"a \"\"b\"\"\"\n2024-03-01 12:00:00,0.5,\n2024-03-01T12:01:00Z,nan,7e-3\n",
    );
    write("csv", "seed-step", 1, b"cpu\n1\n\n2\r\n");
    let lines = b"{\"timestamp\": 1700000000, \"cpu\": 0.5, \"memory\": null}\n{\"timestamp\": 1700000060, \"memory\": 3}\n";
    write("recording", "seed-lines", 0, lines);
    let sadf = include_bytes!("../../../overseer-collect/tests/data/sadf.json");
    write("recording", "seed-sadf", 0, &sadf[..sadf.len().min(20_000)]);
    write(
        "import",
        "seed-csv",
        0,
        b"timestamp,interval_ms,cpu\n1700000000000,5000,0.25\n1700000005000,5000,\n",
    );
    write("import", "seed-lines", 1, b"{\"kind\":\"metrics\",\"timestamp\":1700000000000,\"interval_ms\":5000,\"cpu\":0.5}\n{\"kind\":\"labels\",\"anomaly\":1,\"label\":\"incident\",\"made_at\":2,\"note\":\"x\"}\n");
    fs::create_dir_all(corpus("config")).unwrap();
    let config = "data-dir = \"/var/lib/overseer\"\nevery = \"10s\"\nalarm-budget = \"2/day\"\ntime-zone = \"Europe/Berlin\"\nkeep-samples = \"7d\"\nkeep-hours = \"forever\"\nmax-database-size = \"1.5GB\"\nhistory-samples = 500\n";
    fs::write(corpus("config").join("seed"), config).unwrap();
}
