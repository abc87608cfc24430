//! Faults from outside: flipped bits, an old or a missing log, a disk that fills, permissions that go. What was
//! acknowledged is there, or its loss is told.

use crate::contents::{HOST, STEP, anomaly, at, open, pattern, prediction, sample, schema};
use overseer_core::{SampleQuery, Store};
use overseer_store::SqliteStore;
use rusqlite::{Connection, OpenFlags};
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

fn samples_of(store: &mut SqliteStore) -> usize {
    store.samples(&SampleQuery::latest(STEP, usize::MAX)).unwrap().len()
}

/// The files of a database as a crash would leave them, in another directory.
fn crash_image(path: &Path, place: &Path) -> PathBuf {
    let image = place.join("overseer.db");
    for suffix in ["", "-wal"] {
        let _ = fs::remove_file(beside(&image, suffix));
        if beside(path, suffix).exists() {
            fs::copy(beside(path, suffix), beside(&image, suffix)).unwrap();
        }
    }
    image
}

/// Everything in the tables that have checksums, or nothing if it cannot be read.
fn dump(path: &Path) -> Option<Vec<String>> {
    let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY).ok()?;
    let mut all = Vec::new();
    for table in
        ["system_metrics", "metrics_1m", "metrics_1h", "anomalies", "predictions", "patterns"]
    {
        let mut statement = connection.prepare(&format!("SELECT * FROM {table}")).ok()?;
        let columns = statement.column_count();
        let mut rows = statement.query([]).ok()?;
        while let Some(row) = rows.next().ok()? {
            let values = (0..columns).map(|i| row.get_ref(i).map(|v| format!("{v:?}")));
            all.push(values.collect::<rusqlite::Result<Vec<_>>>().ok()?.join(" "));
        }
    }
    Some(all)
}

#[test]
fn a_flipped_bit_anywhere_in_what_has_checksums_is_found_at_the_start_or_by_verifying() {
    const FLIPS: usize = 500;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("overseer.db");
    let mut store = open(&path);
    let samples: Vec<_> = (0..1000).map(|i| sample(5 * i, [i as f64 / 7.0, 0.5, 1e9])).collect();
    store.append(STEP, &samples).unwrap();
    for i in 0..20 {
        store.record(&[anomaly(i)], &[prediction(i)], &[pattern(i)]).unwrap();
    }
    while store.maintain(at(3 * 86_400), Duration::from_secs(9)).unwrap().behind {}
    assert_eq!(store.verify().unwrap().without_sum, 0);
    drop(store);
    let sound = fs::read(&path).unwrap();
    let expected = dump(&path).unwrap();

    let (mut at_start, mut by_verifying, mut of_no_effect) = (0, 0, 0);
    for flip in 0..FLIPS {
        // Spread evenly over the file, each bit of a byte in turn.
        let place = (2 * flip + 1) * sound.len() / (2 * FLIPS);
        let place = place + flip % 7;
        let mut bytes = sound.clone();
        bytes[place] ^= 1 << (flip % 8);
        for suffix in ["", "-wal", "-shm"] {
            let _ = fs::remove_file(beside(&path, suffix));
        }
        fs::write(&path, &bytes).unwrap();
        match SqliteStore::open_or_set_aside(&path, &schema(), HOST) {
            Ok(opened) => match opened.set_aside {
                Some(aside) => {
                    assert_eq!(fs::read(&aside).unwrap(), bytes, "nothing is deleted");
                    fs::remove_file(aside).unwrap();
                    at_start += 1;
                }
                // The bit may be in the name of a column, so that nothing can be read by it.
                None if !opened.store.verify().is_ok_and(|v| v.is_sound()) => by_verifying += 1,
                None => {
                    assert!(dump(&path).is_some_and(|d| d == expected), "byte {place} of the file");
                    of_no_effect += 1;
                }
            },
            // Such as that it is of a newer format now: said, and left untouched.
            Err(_) => {
                assert_eq!(fs::read(&path).unwrap(), bytes);
                at_start += 1;
            }
        }
    }
    println!(
        "of {FLIPS} flipped bits {at_start} were found at the start, {by_verifying} by verifying, \
         {of_no_effect} changed nothing that has a checksum"
    );
    assert!(at_start > 0 && by_verifying > FLIPS / 10, "{at_start} {by_verifying} {of_no_effect}");
}

#[test]
fn a_log_older_than_its_database_is_set_aside_and_not_replayed() {
    // A log of before the tables were there, one of the same tables, and one of this very run; and once more with so
    // little stored since that the pages of the old log fit the file, where nothing but the count of changes tells.
    let cases =
        [(0, true, 500), (2000, true, 500), (2000, false, 500), (2000, true, 2), (2000, false, 2)];
    for (before, new_run, later) in cases {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().canonicalize().unwrap().join("overseer.db");
        let mut store = open(&path);
        let some = |from: i64, to: i64| -> Vec<_> {
            (from..to).map(|i| sample(5 * i, [i as f64; 3])).collect()
        };
        store.append(STEP, &some(0, before)).unwrap();
        store.maintain(at(5 * before + 60), Duration::from_secs(9)).unwrap();
        if before > 0 {
            drop(store);
            store = open(&path);
            store.append(STEP, &some(before, before + 1)).unwrap();
            store.maintain(at(5 * before + 120), Duration::from_secs(9)).unwrap();
        }
        // Upkeep begins a new log when it notes its start.
        store.append(STEP, &some(before, before + 2)).unwrap();
        let old_log = fs::read(beside(&path, "-wal")).unwrap();
        if new_run {
            drop(store);
            store = open(&path);
        }
        store.append(STEP, &some(before, before + later + 1)).unwrap();
        store.maintain(at(5 * (before + later) + 180), Duration::from_secs(9)).unwrap();
        drop(store);
        let sound = fs::read(&path).unwrap();
        assert!(!beside(&path, "-wal").exists());
        let stored = before + later + 1;

        // SQLite by itself takes the old log, and what was stored since is gone.
        fs::write(beside(&path, "-wal"), &old_log).unwrap();
        let image = tempfile::tempdir().unwrap();
        let person = Connection::open(crash_image(&path, image.path())).unwrap();
        let count = "SELECT count(*) FROM system_metrics NOT INDEXED";
        let count = person.query_row(count, [], |r| r.get::<_, i64>(0));
        assert_ne!(count.ok(), Some(stored));

        let mut opened = SqliteStore::open_or_set_aside(&path, &schema(), HOST).unwrap();
        assert_eq!(opened.set_aside, None, "{:?}", opened.reason);
        let target = beside(&path, "-wal.unreadable-1");
        assert_eq!(opened.warnings.len(), 1);
        let said = &opened.warnings[0];
        assert!(
            said.contains("older than") || (later > 2 && said.contains("does not fit")),
            "{said}"
        );
        assert!(said.contains(&target.display().to_string()), "{said}");
        assert_eq!(fs::read(target).unwrap(), old_log, "nothing is deleted");
        assert_eq!(samples_of(&mut opened.store) as i64, stored);
        assert!(opened.store.verify().unwrap().is_sound());
        assert_eq!(fs::read(&path).unwrap(), sound);
    }
}

#[test]
fn a_log_that_is_missing_after_a_crash_is_told_and_one_that_was_read_is_not() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("overseer.db");
    let mut store = open(&path);
    store.append(STEP, &[sample(0, [1.0; 3])]).unwrap();
    store.maintain(at(60), Duration::from_secs(9)).unwrap();
    store.append(STEP, &[sample(61, [1.0; 3])]).unwrap();
    let place = tempfile::tempdir().unwrap();
    let start = |image: &Path| SqliteStore::open_or_set_aside(image, &schema(), HOST).unwrap();

    let image = crash_image(&path, place.path());
    let mut opened = start(&image);
    assert_eq!(
        (opened.set_aside, opened.warnings),
        (None, vec![]),
        "a crash, and its log is there"
    );
    assert_eq!(samples_of(&mut opened.store), 2);
    drop(opened.store);
    assert_eq!(start(&image).warnings, [""; 0], "that start read the log, and its end removed it");

    let image = crash_image(&path, place.path());
    drop(open(&image));
    assert!(!beside(&image, "-wal").exists());
    assert_eq!(start(&image).warnings, [""; 0], "another command did");

    let image = crash_image(&path, place.path());
    fs::remove_file(beside(&image, "-wal")).unwrap();
    let warnings = start(&image).warnings;
    assert!(warnings.len() == 1 && warnings[0].contains("may be missing"), "{warnings:?}");

    drop(store);
    let image = crash_image(&path, place.path());
    assert_eq!(start(&image).warnings, [""; 0], "a clean end leaves no log");
}

const PLACE: &str = "OVERSEER_STORE_FAULTS_CHILD";

/// Does nothing as a test; as the child it does with a store what it is told to, line by line.
#[test]
fn child() {
    let Ok(path) = std::env::var(PLACE) else { return };
    let mut store = None;
    for line in std::io::stdin().lines() {
        let line = line.unwrap();
        let (command, number) = line.split_once(' ').unwrap_or((&line, "0"));
        let number: i64 = number.parse().unwrap();
        let done = match (command, &mut store) {
            ("open", _) => {
                SqliteStore::open_or_set_aside(Path::new(&path), &schema(), HOST).map(|opened| {
                    let said = format!("{:?} {:?}", opened.set_aside, opened.warnings);
                    store = Some(opened.store);
                    said
                })
            }
            ("read", _) => SqliteStore::open_read_only(Path::new(&path), &schema(), HOST)
                .map(|mut store| samples_of(&mut store).to_string()),
            ("lease", _) => {
                let place = Path::new(&path).parent().unwrap();
                overseer_store::Lease::acquire(place, at(0), "watch").map(|_| String::new())
            }
            ("close", _) => {
                store = None;
                Ok(String::new())
            }
            // A hundred samples at a time.
            ("append", Some(store)) => {
                let secs = |i: i64| 5 * (100 * number + i);
                let samples: Vec<_> = (0..100)
                    .map(|i| sample(secs(i), [i as f64 / 7.0, number as f64 / 3.0, 1e9 / 7.0]))
                    .collect();
                store.append(STEP, &samples).map(|a| a.stored.to_string())
            }
            ("maintain", Some(store)) => {
                store.maintain(at(number), Duration::from_secs(9)).map(|m| format!("{m:?}"))
            }
            ("count", Some(store)) => Ok(samples_of(store).to_string()),
            other => panic!("{other:?}"),
        };
        let said = match done {
            Ok(said) => format!("ok {said}"),
            Err(e) if e.is_unavailable() => format!("unavailable {e}"),
            Err(e) => format!("error {e}"),
        };
        println!("\nsaid {said}");
    }
}

/// A process with a store, told what to do.
struct Remote {
    child: Child,
    to: Option<ChildStdin>,
    from: BufReader<ChildStdout>,
}

impl Remote {
    fn start(mut command: Command, path: &Path) -> Self {
        let mut child = command
            .args(["--exact", "faults::child", "--nocapture"])
            .env(PLACE, path)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let from = BufReader::new(child.stdout.take().unwrap());
        Self { to: child.stdin.take(), from, child }
    }

    fn tell(&mut self, what: &str) -> String {
        writeln!(self.to.as_mut().unwrap(), "{what}").unwrap();
        let mut line = String::new();
        loop {
            line.clear();
            assert!(self.from.read_line(&mut line).unwrap() > 0, "the child ended at `{what}`");
            if let Some(said) = line.strip_prefix("said ") {
                return said.trim_end().to_owned();
            }
        }
    }

    /// Ends the child cleanly.
    fn end(mut self) {
        drop(self.to.take());
        assert!(self.child.wait().unwrap().success());
    }
}

#[test]
fn on_a_disk_that_is_full_a_batch_is_refused_whole_and_room_is_enough_to_go_on() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("overseer.db");
    // A file may not become larger than so many blocks of 512 bytes or, in some shells, 1 KiB; without the signal that
    // comes with it, which is what a write to a full disk looks like.
    let mut command = Command::new("sh");
    let limited = "trap '' XFSZ; ulimit -S -f 2000; exec \"$0\" \"$@\"";
    command.arg("-c").arg(limited).arg(std::env::current_exe().unwrap());
    let mut remote = Remote::start(command, &path);
    assert!(remote.tell("open").starts_with("ok None []"));
    let (mut stored, mut refused) = (0, 0);
    // Upkeep may make some room, by bringing the log into the database, until that is full as well.
    while refused < 5 {
        let said = remote.tell(&format!("append {stored}"));
        if said == "ok 100" {
            (stored, refused) = (stored + 1, 0);
        } else {
            assert!(said.starts_with("unavailable") && said.contains("disk"), "{said}");
            refused += 1;
            let said = remote.tell("maintain 100");
            assert!(said.starts_with("unavailable") || said.starts_with("ok"), "{said}");
        }
        assert!(stored < 1000, "the limit holds");
    }
    assert!(stored > 10, "{stored}");
    // Reading goes on: nothing acknowledged is lost, and nothing of what was refused is there.
    assert_eq!(remote.tell("count"), format!("ok {}", 100 * stored));

    let pid = format!("--pid={}", remote.child.id());
    let room = Command::new("prlimit").args([&pid, "--fsize=unlimited"]).status();
    if room.is_ok_and(|status| status.success()) {
        assert_eq!(remote.tell(&format!("append {stored}")), "ok 100");
        assert!(remote.tell("maintain 100000").starts_with("ok"));
        stored += 1;
    } else {
        println!("there is no prlimit here: that it goes on was not tried");
    }
    remote.end();
    let mut opened = SqliteStore::open_or_set_aside(&path, &schema(), HOST).unwrap();
    assert_eq!((opened.set_aside, opened.warnings), (None, vec![]));
    assert_eq!(samples_of(&mut opened.store), 100 * stored as usize);
    assert!(opened.store.verify().unwrap().is_sound());
}

#[cfg(unix)]
mod permissions {
    use super::*;
    use std::os::unix::fs::{PermissionsExt, chown};

    const NOBODY: u32 = 65_534;

    /// A directory, and a process that may do there only what its permissions allow; none where that cannot be had.
    #[allow(clippy::print_stdout, reason = "a test that is skipped says why")]
    fn limited(dir: &Path) -> Option<Command> {
        let exe = std::env::current_exe().unwrap();
        let probe = dir.join("probe");
        fs::create_dir(&probe).unwrap();
        fs::set_permissions(&probe, fs::Permissions::from_mode(0o555)).unwrap();
        let permissions_bind = fs::write(probe.join("x"), "").is_err();
        let _ = fs::remove_dir_all(&probe);
        if permissions_bind {
            return Some(Command::new(exe));
        }
        // Permissions do not stop root, so that the work is done as somebody who has no rights. The program itself may
        // lie where nobody else may look.
        let copy = dir.join("child");
        fs::copy(exe, &copy).unwrap();
        fs::set_permissions(dir, fs::Permissions::from_mode(0o755)).unwrap();
        let mut command = Command::new("setpriv");
        command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]).arg(&copy);
        let mut probe = Command::new("setpriv");
        probe.args(["--reuid=65534", "--regid=65534", "--clear-groups", "true"]);
        if !probe.status().is_ok_and(|status| status.success()) {
            println!(
                "skipped: this is root, whom permissions do not stop, and there is no setpriv"
            );
            return None;
        }
        Some(command)
    }

    /// The data directory of the limited process.
    fn data(dir: &Path) -> PathBuf {
        let data = dir.join("data");
        fs::create_dir(&data).unwrap();
        let _ = chown(&data, Some(NOBODY), Some(NOBODY));
        data
    }

    fn allow(data: &Path, directory: u32, files: u32) {
        fs::set_permissions(data, fs::Permissions::from_mode(0o755)).unwrap();
        for file in fs::read_dir(data).unwrap() {
            let permissions = fs::Permissions::from_mode(files);
            fs::set_permissions(file.unwrap().path(), permissions).unwrap();
        }
        fs::set_permissions(data, fs::Permissions::from_mode(directory)).unwrap();
    }

    #[test]
    fn in_a_directory_that_may_only_be_read_reading_works_and_writing_is_unavailable() {
        let dir = tempfile::tempdir().unwrap();
        let Some(command) = limited(dir.path()) else { return };
        let data = data(dir.path());
        let path = data.join("overseer.db");
        let mut remote = Remote::start(command, &path);
        assert!(remote.tell("open").starts_with("ok"));
        assert_eq!(remote.tell("append 0"), "ok 100");
        remote.tell("close");
        allow(&data, 0o555, 0o444);
        let before = fs::read(&path).unwrap();
        let said = remote.tell("open");
        assert!(said.starts_with("unavailable"), "{said}");
        let said = remote.tell("lease");
        assert!(said.starts_with("unavailable") && said.contains("permission denied"), "{said}");
        assert_eq!(remote.tell("read"), "ok 100");
        assert_eq!(fs::read(&path).unwrap(), before);
        assert_eq!(fs::read_dir(&data).unwrap().count(), 1, "nothing was moved or made");
        allow(&data, 0o755, 0o644);
        assert_eq!(remote.tell("open"), "ok None []");
        assert_eq!(remote.tell("append 1"), "ok 100");
        remote.end();
    }

    #[test]
    fn permissions_lost_while_running_lose_nothing_that_was_acknowledged() {
        for (directory, files) in [(0o555, 0o444), (0o000, 0o644), (0o755, 0o000)] {
            let dir = tempfile::tempdir().unwrap();
            let Some(command) = limited(dir.path()) else { return };
            let data = data(dir.path());
            let path = data.join("overseer.db");
            let mut remote = Remote::start(command, &path);
            assert!(remote.tell("open").starts_with("ok"));
            assert_eq!(remote.tell("append 0"), "ok 100");
            allow(&data, directory, files);
            let mut stored = 1;
            for batch in 1..5 {
                // Files that are open stay open, so that mostly nothing is noticed.
                let said = remote.tell(&format!("append {batch}"));
                assert!(said == "ok 100" || said.starts_with("unavailable"), "{said}");
                stored += usize::from(said == "ok 100");
                let said = remote.tell(&format!("maintain {}", 1000 * batch));
                assert!(said.starts_with("ok") || said.starts_with("unavailable"), "{said}");
            }
            remote.tell("close");
            let said = remote.tell("open");
            assert!(said.starts_with("unavailable"), "{directory:o} {files:o}: {said}");
            let said = remote.tell("read");
            let honest = said == format!("ok {}", 100 * stored) || said.starts_with("unavailable");
            assert!(honest, "all of it or none: {said}");
            allow(&data, 0o755, 0o644);
            assert_eq!(remote.tell("open"), "ok None []", "{directory:o} {files:o}");
            assert_eq!(remote.tell("count"), format!("ok {}", 100 * stored));
            assert_eq!(remote.tell("append 9"), "ok 100");
            remote.end();
            let store = SqliteStore::open(&path, &schema(), HOST).unwrap();
            assert!(store.verify().unwrap().is_sound());
        }
    }
}
