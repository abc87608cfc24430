//! The contracts of `score` and `backtest`, held against the command itself.
#![allow(clippy::unwrap_used, reason = "in tests a panic is the report")]

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

fn overseer(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_overseer"))
        .args(args)
        .env_remove("OVERSEER_LOG")
        .output()
        .unwrap()
}

fn error_of(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Two columns with noise, a season in the first, and one wild row.
fn rows(n: usize, wild: usize) -> Vec<String> {
    (0..n)
        .map(|i| {
            let noise = ((i * 7919) % 1009) as f64 / 1009.0;
            let other = ((i * 104_729) % 997) as f64 / 997.0;
            let season = (i as f64 / 100.0).sin();
            if i == wild {
                "90,-70".to_owned()
            } else {
                format!("{},{}", 10.0 + season + noise, other)
            }
        })
        .collect()
}

fn csv(dir: &Path, name: &str, header: &str, rows: &[String]) -> PathBuf {
    let path = dir.join(name);
    std::fs::write(&path, format!("{header}\n{}\n", rows.join("\n"))).unwrap();
    path
}

fn table(path: &Path) -> (String, Vec<Vec<String>>) {
    let text = std::fs::read_to_string(path).unwrap();
    let mut lines = text.lines();
    let header = lines.next().unwrap().to_owned();
    (header, lines.map(|l| l.split(',').map(str::to_owned).collect()).collect())
}

fn score(dir: &Path, input: &Path, history: Option<&Path>) -> Vec<Vec<String>> {
    let out = dir.join("scores.csv");
    let (input, out_text) = (input.display().to_string(), out.display().to_string());
    let mut args = vec!["score", "--input", &input, "--output", &out_text, "--step", "60s"];
    let history = history.map(|h| h.display().to_string());
    if let Some(h) = &history {
        args.extend(["--history", h]);
    }
    let output = overseer(&args);
    assert!(output.status.success(), "{}", error_of(&output));
    let (header, rows) = table(&out);
    assert_eq!(header, "index,score,onset,p_value,is_anomaly,severity");
    rows
}

#[test]
fn a_time_zone_that_does_not_exist_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let input = csv(dir.path(), "input.csv", "a,b", &rows(100, usize::MAX));
    let (input, out) = (input.display().to_string(), dir.path().join("scores.csv"));
    let out = out.display().to_string();
    let of = |zone| overseer(&["score", "--input", &input, "--output", &out, "--tz", zone]);
    let wrong = of("Europe/Atlantis");
    assert_eq!(wrong.status.code(), Some(64));
    assert!(error_of(&wrong).contains("`Europe/Atlantis` is not known"), "{}", error_of(&wrong));
    assert!(of("Europe/Berlin").status.success());
}

#[test]
fn score_gives_one_row_a_row_and_finds_the_wild_one() {
    let dir = tempfile::tempdir().unwrap();
    let history = csv(dir.path(), "history.csv", "a,b", &rows(1500, usize::MAX));
    let input = csv(dir.path(), "input.csv", "a,b", &rows(600, 400));
    let scored = score(dir.path(), &input, Some(&history));
    assert_eq!(scored.len(), 600);
    for (i, row) in scored.iter().enumerate() {
        assert_eq!(row[0], i.to_string());
        for number in &row[1..4] {
            assert!((0.0..=1.0).contains(&number.parse::<f64>().unwrap()), "{row:?}");
        }
    }
    let value = |row: &Vec<String>, column: usize| row[column].parse::<f64>().unwrap();
    let best =
        (0..600).max_by(|&a, &b| value(&scored[a], 1).total_cmp(&value(&scored[b], 1))).unwrap();
    assert!((400..405).contains(&best), "row {best}");
    assert_eq!((scored[400][4].as_str(), scored[400][5] != "none"), ("1", true));
    let alerts = scored.iter().filter(|r| r[4] == "1").count();
    assert!(alerts <= 2, "{alerts} alerts");
}

#[test]
fn scores_never_depend_on_later_rows() {
    let dir = tempfile::tempdir().unwrap();
    let all = rows(900, 700);
    let whole = score(dir.path(), &csv(dir.path(), "whole.csv", "a,b", &all), None);
    let cut = score(dir.path(), &csv(dir.path(), "cut.csv", "a,b", &all[..500]), None);
    assert_eq!(whole[..500], cut[..]);
    assert!(whole[0][1].is_empty(), "before anything was learned the score is unknown, not zero");
}

#[test]
fn missing_values_and_timestamps_are_understood() {
    let dir = tempfile::tempdir().unwrap();
    let mut lines: Vec<String> = rows(300, usize::MAX)
        .into_iter()
        .enumerate()
        .map(|(i, row)| format!("{},{row}", 1_700_000_000 + 300 * i))
        .collect();
    lines[200] = format!("{},,NaN", 1_700_000_000 + 300 * 200);
    let scored = score(dir.path(), &csv(dir.path(), "t.csv", "timestamp,a,b", &lines), None);
    assert_eq!(scored.len(), 300);
    assert_eq!(scored[200][5], "none", "missing is not anomalous");
}

#[test]
fn backtest_forecasts_every_origin_and_never_reads_ahead() {
    let dir = tempfile::tempdir().unwrap();
    let all = rows(700, usize::MAX);
    let run = |name: &str, rows: &[String]| {
        let input = csv(dir.path(), name, "a,b", rows).display().to_string();
        let out = dir.path().join(format!("{name}.out"));
        let out_text = out.display().to_string();
        let output = overseer(&[
            "backtest",
            "--input",
            &input,
            "--column",
            "a",
            "--train-rows",
            "400",
            "--horizon",
            "5",
            "--stride",
            "50",
            "--output",
            &out_text,
        ]);
        assert!(output.status.success(), "{}", error_of(&output));
        table(&out)
    };
    let (header, whole) = run("whole.csv", &all);
    assert_eq!(header, "origin,h,median,lo90,hi90");
    assert_eq!(whole.len(), 7 * 5, "origins 399 to 699");
    assert_eq!(whole[0][..2], ["399".to_owned(), "1".to_owned()]);
    for row in &whole {
        let n: Vec<f64> = row[2..].iter().map(|x| x.parse().unwrap()).collect();
        assert!(n[1] <= n[0] && n[0] <= n[2], "{row:?}");
    }
    let (_, cut) = run("cut.csv", &all[..500]);
    assert_eq!(whole[..cut.len()], cut[..]);
}

#[cfg(unix)]
#[test]
fn a_pipe_or_device_can_take_the_output() {
    let dir = tempfile::tempdir().unwrap();
    let input = csv(dir.path(), "i.csv", "a,b", &rows(80, 99)).display().to_string();
    for place in ["/dev/stdout", "-"] {
        let output = overseer(&["score", "--input", &input, "--output", place]);
        assert!(output.status.success(), "{}", error_of(&output));
        assert_eq!(String::from_utf8_lossy(&output.stdout).lines().count(), 81);
    }
}

#[cfg(unix)]
#[test]
fn rows_can_be_piped_in() {
    let dir = tempfile::tempdir().unwrap();
    let all = rows(200, 150);
    let file = score(dir.path(), &csv(dir.path(), "i.csv", "a,b", &all), None);
    let out = dir.path().join("piped.csv");
    let mut child = Command::new(env!("CARGO_BIN_EXE_overseer"))
        .args(["score", "--input", "-", "--step", "60s", "--output"])
        .arg(&out)
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut pipe = child.stdin.take().unwrap();
    writeln!(pipe, "a,b\n{}", all.join("\n")).unwrap();
    drop(pipe);
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", error_of(&output));
    assert_eq!(table(&out).1, file);
}

#[test]
fn a_limit_of_memory_is_kept_or_refused() {
    let dir = tempfile::tempdir().unwrap();
    let config = dir.path().join("overseer.toml");
    let scored = |input: &Path, limit: &str| {
        std::fs::write(&config, format!("max-detector-size = \"{limit}\"\n")).unwrap();
        let (config, out) = (config.display().to_string(), dir.path().join("o.csv"));
        let (input, out_text) = (input.display().to_string(), out.display().to_string());
        let args = ["--config", &config, "score", "--input", &input, "--output", &out_text];
        (overseer(&args), out)
    };
    let few = csv(dir.path(), "few.csv", "a,b", &rows(700, 650));
    let whole = score(dir.path(), &few, None);
    let (_, out) = scored(&few, "2MB");
    assert_eq!(table(&out).1, whole, "with more than enough nothing is given up");
    // So many features fit in no such detector, which is not the same as too few rows.
    let header: Vec<String> = (0..200).map(|i| format!("f{i}")).collect();
    let row = |i: usize| (0..200).map(|j| (i * j % 97).to_string()).collect::<Vec<_>>().join(",");
    let many =
        csv(dir.path(), "many.csv", &header.join(","), &(0..80).map(row).collect::<Vec<_>>());
    let (output, _) = scored(&many, "600kB");
    assert_eq!(output.status.code(), Some(64));
    assert!(error_of(&output).contains("200 features needs at least"), "{}", error_of(&output));
    let (output, _) = scored(&few, "100kB");
    assert!(error_of(&output).contains("must be at least 512 KiB"), "{}", error_of(&output));
}

#[test]
fn what_cannot_be_done_exits_3_and_names_the_place() {
    let dir = tempfile::tempdir().unwrap();
    let broken = csv(dir.path(), "broken.csv", "a,b", &["1,2".to_owned(), "3,x".to_owned()]);
    let out = dir.path().join("out.csv");
    let (broken, out_text) = (broken.display().to_string(), out.display().to_string());
    let output = overseer(&["score", "--input", &broken, "--output", &out_text]);
    assert_eq!(output.status.code(), Some(3));
    let message = error_of(&output);
    assert!(message.contains("line 3") && message.contains('b'), "{message}");
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1, "half a result is left nowhere");
    let first_row = csv(dir.path(), "headless.csv", "1767225600,20.5", &rows(80, 99));
    let first_row = first_row.display().to_string();
    let output = overseer(&["score", "--input", &first_row, "--output", &out_text]);
    assert_eq!(output.status.code(), Some(3));
    assert!(error_of(&output).contains("line 1: there are values where"), "{}", error_of(&output));
    let nowhere = dir.path().join("missing").join("out.csv").display().to_string();
    let whole = csv(dir.path(), "whole.csv", "a,b", &rows(80, 99)).display().to_string();
    let output = overseer(&["score", "--input", &whole, "--output", &nowhere]);
    assert_eq!(output.status.code(), Some(3));
    assert!(error_of(&output).contains("missing` is no directory"), "{}", error_of(&output));
}

#[test]
fn what_is_read_is_not_written_over() {
    let dir = tempfile::tempdir().unwrap();
    let input = csv(dir.path(), "i.csv", "a,b", &rows(80, 99));
    let before = std::fs::read(&input).unwrap();
    let other_name = dir.path().join(".").join("i.csv").display().to_string();
    let input_text = input.display().to_string();
    let io = ["--input", &input_text, "--output", &other_name];
    let backtest = ["backtest", "--column", "a", "--train-rows", "40"];
    for command in [&["score"][..], &backtest] {
        let output = overseer(&[command, &io].concat());
        assert_eq!(output.status.code(), Some(64));
        assert!(error_of(&output).contains("would be overwritten"), "{}", error_of(&output));
        assert_eq!(std::fs::read(&input).unwrap(), before);
    }
}

#[test]
fn wrong_usage_exits_64_and_help_exits_0() {
    assert_eq!(overseer(&["score"]).status.code(), Some(64));
    let dir = tempfile::tempdir().unwrap();
    let input = csv(dir.path(), "i.csv", "a,b", &rows(80, 99)).display().to_string();
    let out = dir.path().join("o.csv").display().to_string();
    let io = ["backtest", "--input", &input, "--output", &out];
    for wrong in [
        ["--column", "zzz", "--train-rows", "40", "--stride", "1"],
        ["--column", "a", "--train-rows", "0", "--stride", "1"],
        ["--column", "a", "--train-rows", "40", "--stride", "0"],
        ["--column", "a", "--train-rows", "40", "--horizon", "0"],
    ] {
        let output = overseer(&[&io[..], &wrong].concat());
        assert_eq!(output.status.code(), Some(64), "{wrong:?}: {}", error_of(&output));
    }
    assert_eq!(overseer(&["analyze", "--alarm-budget", "many"]).status.code(), Some(64));
    let help = overseer(&["--help"]);
    assert_eq!(help.status.code(), Some(0));
    assert!(String::from_utf8_lossy(&help.stdout).contains("analyze"));
}
