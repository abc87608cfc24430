//! Every input that the fuzzer kept, tried once more.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "in tests a panic is the report")]

use overseer_fuzz_inputs::TARGETS;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

fn corpus(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../corpus").join(name)
}

fn inputs(name: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let mut files: Vec<PathBuf> =
        fs::read_dir(corpus(name)).unwrap().map(|f| f.unwrap().path()).collect();
    files.sort();
    files.into_iter().map(|file| (file.clone(), fs::read(file).unwrap())).collect()
}

#[test]
fn no_kept_input_makes_a_reader_panic() {
    let mut bytes = 0;
    for (name, target) in TARGETS {
        let inputs = inputs(name);
        assert!(!inputs.is_empty(), "the corpus of {name} is there");
        for (file, input) in inputs {
            bytes += input.len();
            // The name is what to look for where this fails.
            println!("{}", file.display());
            target(&input);
        }
    }
    assert!(bytes < 200_000, "the corpus stays small: {bytes} bytes");
}

/// A fixed sequence of numbers without any order.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, most: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % most.max(1)
    }
}

/// One of `inputs` with some changes: what the fuzzer does, without its looking at what that reaches.
fn changed(inputs: &[(PathBuf, Vec<u8>)], numbers: &mut Numbers) -> Vec<u8> {
    let mut bytes = inputs[numbers.below(inputs.len())].1.clone();
    for _ in 0..=numbers.below(4) {
        let at = numbers.below(bytes.len());
        match numbers.below(6) {
            _ if bytes.is_empty() => bytes.push(numbers.below(256) as u8),
            0 => bytes[at] ^= 1 << numbers.below(8),
            1 => bytes[at] = b"\0\xff,\"\n\r{}[]:-.e09 "[numbers.below(17)],
            2 => drop(bytes.drain(at..(at + numbers.below(20)).min(bytes.len()))),
            3 => {
                let new: Vec<u8> = (0..12).map(|_| numbers.below(256) as u8).collect();
                bytes.splice(at..at, new);
            }
            4 => {
                let again = bytes[at..(at + numbers.below(50)).min(bytes.len())].to_vec();
                bytes.splice(at..at, again);
            }
            _ => {
                let other = &inputs[numbers.below(inputs.len())].1;
                bytes.truncate(at);
                bytes.extend_from_slice(&other[numbers.below(other.len())..]);
            }
        }
    }
    bytes
}

/// For longer: `OVERSEER_FUZZ_SECONDS=600 cargo test --release -p overseer-fuzz-inputs changed`.
#[test]
fn no_changed_input_makes_a_reader_panic() {
    let seconds = std::env::var("OVERSEER_FUZZ_SECONDS").ok().and_then(|s| s.parse().ok());
    let patience = Duration::from_millis(seconds.map_or(400, |s: u64| 1000 * s));
    for (name, target) in TARGETS {
        let inputs = inputs(name);
        let mut numbers = Numbers(if seconds.is_some() { std::process::id().into() } else { 1 });
        let (start, mut tried) = (Instant::now(), 0_u64);
        while start.elapsed() < patience {
            let input = changed(&inputs, &mut numbers);
            let result = std::panic::catch_unwind(|| target(&input));
            assert!(result.is_ok(), "{name} does not stand {input:?}");
            tried += 1;
        }
        println!("{name}: {tried} inputs");
    }
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
