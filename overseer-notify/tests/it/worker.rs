//! The worker over a real outbox: order, retries, giving up, slow sinks, restarts.

use crate::notification;
use overseer_core::{
    Alert, AlertState, Error, Notification, Result, Sink, Span, Store, Timestamp, host,
};
use overseer_notify::{OpenStore, Worker, WorkerOptions};
use overseer_store::SqliteStore;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

type Heard = Arc<Mutex<Vec<i64>>>;
type Does = Box<dyn FnMut(usize, i64) -> Result<()> + Send>;

/// Hears numbers, and does with the n-th attempt what a test says.
struct Listener {
    name: &'static str,
    heard: Heard,
    attempts: usize,
    does: Does,
    every: Option<Span>,
}

impl std::fmt::Debug for Listener {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

impl Sink for Listener {
    fn name(&self) -> &str {
        self.name
    }

    fn deliver(&mut self, id: i64, _: &Notification) -> Result<()> {
        self.attempts += 1;
        (self.does)(self.attempts, id)?;
        self.heard.lock().unwrap().push(id);
        Ok(())
    }

    fn repeats_every(&self) -> Option<Span> {
        self.every
    }
}

fn listener(
    name: &'static str,
    does: impl FnMut(usize, i64) -> Result<()> + Send + 'static,
) -> (Box<Listener>, Heard) {
    let heard = Heard::default();
    let sink = Listener {
        name,
        heard: Arc::clone(&heard),
        attempts: 0,
        does: Box::new(does),
        every: None,
    };
    (Box::new(sink), heard)
}

struct Outbox {
    _dir: tempfile::TempDir,
    path: PathBuf,
    clock: Arc<AtomicI64>,
}

fn open(path: &Path) -> Result<SqliteStore> {
    SqliteStore::open(path, &host::schema(), "web-1")
}

impl Outbox {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("overseer.db");
        Self { _dir: dir, path, clock: Arc::new(AtomicI64::new(1_000_000)) }
    }

    fn queue(&self, sink: &str, incident: i64) -> i64 {
        self.queue_told(sink, &notification(incident))
    }

    fn queue_told(&self, sink: &str, told: &Notification) -> i64 {
        let message = serde_json::to_string(told).unwrap();
        let made_at = Timestamp::from_millis(1_000_000);
        let alert = Alert::new(told.incident, told.state, told.severity, made_at, sink, message);
        open(&self.path).unwrap().queue_alert(&alert).unwrap()
    }

    fn row(&self, id: i64) -> Alert {
        let all = open(&self.path).unwrap().alerts(1000).unwrap();
        all.into_iter().find(|alert| alert.id == id).unwrap()
    }

    fn pass(&self, time: Span) {
        self.clock.fetch_add(time.as_millis(), Ordering::SeqCst);
    }

    fn opener(&self) -> OpenStore {
        let path = self.path.clone();
        Box::new(move || open(&path).map(|store| Box::new(store) as Box<dyn Store>))
    }

    fn options(&self) -> WorkerOptions {
        let clock = Arc::clone(&self.clock);
        let mut options = WorkerOptions::new(Arc::new(move || {
            Timestamp::from_millis(clock.load(Ordering::SeqCst))
        }));
        options.poll = Duration::from_millis(5);
        options
    }

    fn work(&self, sinks: Vec<Box<dyn Sink>>) -> Worker {
        Worker::start(sinks, self.opener(), self.options()).unwrap()
    }
}

#[track_caller]
fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < Duration::from_secs(20), "never: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn heard(by: &Heard) -> Vec<i64> {
    by.lock().unwrap().clone()
}

#[test]
fn messages_arrive_in_order_and_are_noted() {
    let outbox = Outbox::new();
    let ids: Vec<i64> = (0..5).map(|n| outbox.queue("log", n)).collect();
    let (sink, log) = listener("log", |_, _| Ok(()));
    let worker = outbox.work(vec![sink]);
    until("all arrive", || heard(&log) == ids);
    let later = outbox.queue("log", 9);
    until("what comes later arrives", || heard(&log).last() == Some(&later));
    assert!(worker.stop(Duration::from_secs(2)).is_empty());
    for id in ids {
        let row = outbox.row(id);
        assert_eq!((row.attempts, row.next_attempt), (1, None));
        assert_eq!(row.delivered_at, Some(Timestamp::from_millis(1_000_000)));
    }
}

#[test]
fn a_failure_is_tried_again_later_and_holds_up_its_own_incident_only() {
    let outbox = Outbox::new();
    let bad = outbox.queue("hook", 1);
    let behind = outbox.queue("hook", 1);
    let other = outbox.queue("hook", 2);
    let (sink, hook) = listener("hook", move |_, id| {
        if id == bad { Err(Error::unavailable("hook", "no\nroute")) } else { Ok(()) }
    });
    let worker = outbox.work(vec![sink]);
    until("the first fails", || outbox.row(bad).attempts == 1);
    let row = outbox.row(bad);
    assert_eq!(row.last_error.as_deref(), Some("hook is unavailable: no route"));
    let wait = row.next_attempt.unwrap().since(Timestamp::from_millis(1_000_000));
    assert!((24.0..=36.0).contains(&wait.as_secs_f64()), "{wait}");
    assert!(heard(&hook).is_empty(), "the sink rests too");
    outbox.pass(Span::from_secs(60));
    until("the other incident is told", || heard(&hook) == [other]);
    for _ in 0..100 {
        let before = outbox.row(bad).attempts;
        outbox.pass(Span::from_secs(7200));
        until("it is tried again", || outbox.row(bad).attempts > before);
        if outbox.row(bad).next_attempt.is_none() {
            break;
        }
    }
    let row = outbox.row(bad);
    assert!(row.next_attempt.is_none() && row.delivered_at.is_none(), "given up: {row:?}");
    assert!((10..60).contains(&row.attempts), "{row:?}");
    outbox.pass(Span::from_secs(7200));
    until("then what waited behind it is told", || heard(&hook) == [other, behind]);
    let notices = worker.notices().join("\n");
    assert!(notices.contains("`hook` took no message"), "{notices}");
    assert!(
        notices.contains(&format!("message {bad} for the sink `hook` was given up")),
        "{notices}"
    );
}

#[test]
fn what_is_refused_for_good_or_cannot_be_read_is_given_up_at_once() {
    let outbox = Outbox::new();
    let refused = outbox.queue("hook", 1);
    let next = outbox.queue("hook", 1);
    let state = AlertState::Firing;
    let noise = Alert::new(
        Timestamp::default(),
        state,
        overseer_core::Severity::High,
        Timestamp::default(),
        "hook",
        "{",
    );
    let noise = open(&outbox.path).unwrap().queue_alert(&noise).unwrap();
    let (sink, hook) = listener("hook", move |_, id| {
        if id == refused { Err(Error::invalid_value("hook", "answered 400")) } else { Ok(()) }
    });
    let worker = outbox.work(vec![sink]);
    until("the next is told", || heard(&hook) == [next]);
    until("what is no message is given up", || outbox.row(noise).next_attempt.is_none());
    let row = outbox.row(refused);
    assert_eq!((row.attempts, row.next_attempt, row.delivered_at), (1, None, None));
    assert_eq!(row.last_error.as_deref(), Some("hook: answered 400"));
    assert!(outbox.row(noise).last_error.unwrap().contains("stored message"));
    drop(worker);
}

#[test]
fn a_dead_sink_delays_no_other_and_stopping_leaves_it_behind() {
    let outbox = Outbox::new();
    for n in 0..300 {
        outbox.queue("dead", n);
    }
    let (dead, _) = listener("dead", |_, _| {
        std::thread::sleep(Duration::from_secs(600));
        Ok(())
    });
    let (live, log) = listener("log", |_, _| Ok(()));
    let worker = outbox.work(vec![dead, live]);
    let start = Instant::now();
    let id = outbox.queue("log", 1);
    until("the other is told", || heard(&log) == [id]);
    assert!(start.elapsed() < Duration::from_secs(5));
    let last = outbox.queue("log", 2);
    let start = Instant::now();
    assert_eq!(worker.stop(Duration::from_secs(1)), ["dead"]);
    assert!(start.elapsed() < Duration::from_secs(3));
    assert_eq!(heard(&log), [id, last], "what was due when it was stopped was delivered");
}

#[test]
fn what_was_being_delivered_at_a_crash_is_delivered_again_with_the_same_number() {
    let outbox = Outbox::new();
    let ids = [outbox.queue("hook", 1), outbox.queue("hook", 2)];
    let (sink, _) = listener("hook", |_, _| {
        std::thread::sleep(Duration::from_secs(600));
        Ok(())
    });
    let cut_off = outbox.work(vec![sink]);
    std::thread::sleep(Duration::from_millis(50));
    drop(cut_off);
    let (sink, hook) = listener("hook", |_, _| Ok(()));
    let worker = outbox.work(vec![sink]);
    until("both are told", || heard(&hook) == ids);
    drop(worker);
}

#[test]
fn what_was_delivered_is_not_delivered_again_while_that_cannot_be_noted() {
    let outbox = Outbox::new();
    let id = outbox.queue("log", 1);
    let (sink, log) = listener("log", |_, _| Ok(()));
    let mut fails = 0;
    let path = outbox.path.clone();
    // A database that can be read and not written, the first times.
    let opener: OpenStore = Box::new(move || {
        fails += 1;
        let store = if fails <= 2 {
            SqliteStore::open_read_only(&path, &host::schema(), "web-1")
        } else {
            open(&path)
        };
        store.map(|store| Box::new(store) as Box<dyn Store>)
    });
    let worker = Worker::start(vec![sink], opener, outbox.options()).unwrap();
    until("it is noted in the end", || outbox.row(id).delivered_at.is_some());
    assert_eq!(heard(&log), [id]);
    drop(worker);
}

#[test]
fn messages_for_nobody_wait_a_day_and_are_given_up_with_the_reason() {
    let outbox = Outbox::new();
    let id = outbox.queue("gone", 1);
    let worker = outbox.work(Vec::new());
    std::thread::sleep(Duration::from_millis(50));
    assert!(outbox.row(id).next_attempt.is_some(), "a configuration may come back");
    drop(worker);
    outbox.pass(Span::from_secs(86_400));
    let worker = outbox.work(Vec::new());
    until("it is given up", || outbox.row(id).next_attempt.is_none());
    let why = outbox.row(id).last_error.unwrap();
    assert!(why.contains("no sink is configured under the name `gone`"), "{why}");
    until("and told", || worker.notices().iter().any(|n| n.contains("`gone`")));
}

#[test]
fn what_goes_on_is_repeated_also_after_a_restart_until_it_is_over() {
    let outbox = Outbox::new();
    let minute = Span::from_secs(60);
    let reminded = |heard: &Heard, id| heard.lock().unwrap().iter().filter(|&&h| h == id).count();
    let start = || {
        let (mut sink, heard) = listener("am", |_, _| Ok(()));
        sink.every = Some(minute);
        (outbox.work(vec![sink]), heard)
    };
    let mut told = notification(900);
    told.made_at = Timestamp::from_millis(900_000);
    let id = outbox.queue_told("am", &told);
    let (worker, am) = start();
    until("it is told", || reminded(&am, id) == 1);
    outbox.pass(minute);
    until("it is told again", || reminded(&am, id) == 2);
    assert!(worker.stop(Duration::from_secs(1)).is_empty());
    assert_eq!(outbox.row(id).attempts, 1, "a repetition is no attempt");

    let (worker, am) = start();
    until("after a restart it goes on", || reminded(&am, id) == 1);
    told.state = AlertState::Resolved;
    let over = outbox.queue_told("am", &told);
    until("the end is told", || reminded(&am, over) == 1);
    outbox.pass(minute);
    std::thread::sleep(Duration::from_millis(100));
    assert_eq!((reminded(&am, id), reminded(&am, over)), (1, 1));
    drop(worker);
}

#[test]
fn an_outbox_that_cannot_be_opened_is_told_once_and_tried_again() {
    let outbox = Outbox::new();
    let (sink, log) = listener("log", |_, _| Ok(()));
    let opener: OpenStore = Box::new(|| Err(Error::unavailable("the disk", "it is full")));
    let worker = Worker::start(vec![sink], opener, outbox.options()).unwrap();
    let mut told = Vec::new();
    until("it is told", || {
        told.extend(worker.notices());
        !told.is_empty()
    });
    std::thread::sleep(Duration::from_millis(50));
    told.extend(worker.notices());
    assert_eq!(
        told,
        ["the sink `log` is told nothing for now: the disk is unavailable: it is full"]
    );
    assert!(worker.stop(Duration::from_millis(100)).is_empty() && heard(&log).is_empty());
}

#[test]
#[cfg(unix)]
fn a_database_that_was_moved_aside_gives_way_to_the_one_in_its_place() {
    let outbox = Outbox::new();
    let first = outbox.queue("log", 1);
    let (sink, log) = listener("log", |_, _| Ok(()));
    let mut options = outbox.options();
    options.file = Some(outbox.path.clone());
    let worker = Worker::start(vec![sink], outbox.opener(), options).unwrap();
    until("the first is told", || heard(&log) == [first]);
    for end in ["", "-wal", "-shm"] {
        let of = |name: &str| outbox.path.with_file_name(format!("{name}{end}"));
        let _ = std::fs::rename(of("overseer.db"), of("aside.db"));
    }
    std::thread::sleep(Duration::from_millis(50));
    assert!(!outbox.path.exists(), "the worker makes none");
    let second = outbox.queue("log", 2);
    until("what is in the new one is told", || heard(&log) == [first, second]);
    drop(worker);
}

#[test]
fn two_sinks_of_one_name_are_refused() {
    let outbox = Outbox::new();
    let sinks: Vec<Box<dyn Sink>> =
        vec![listener("log", |_, _| Ok(())).0, listener("log", |_, _| Ok(())).0];
    let e = Worker::start(sinks, outbox.opener(), outbox.options()).unwrap_err();
    assert!(e.is_invalid_input());
}
