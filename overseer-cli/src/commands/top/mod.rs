//! The host in a terminal: the engine ticks in a thread of its own, the desk reads and writes the database in another, and
//! this one draws and takes keys. No tick waits for the terminal.

mod desk;
mod draw;
mod export;
mod keys;
mod screen;
mod series;
mod state;
mod theme;

use super::ticking::{Ticking, Viewer};
use crate::Outcome;
use crate::args::Top;
use crate::settings::Settings;
use desk::{Answer, Desk, Task};
use keys::Wish;
use overseer_engine::core::{Error, Result, Timestamp};
use overseer_engine::{Engine, Notice, Report, Role, host};
use ratatui::crossterm::event::{self, Event};
use screen::Screen;
use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM};
use state::{Host, State};
use std::io::IsTerminal;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};
use theme::Theme;

/// How long a key, a signal or a tick may wait to be seen.
const ATTENTION: Duration = Duration::from_millis(50);
/// At least so often the screen is drawn, for the clock and for what is said for a while.
const REDRAWN: Duration = Duration::from_secs(1);
/// What is stored is read anew so often, where nothing else asks for it.
const REREAD: Duration = Duration::from_secs(15);

/// What the other threads tell.
#[derive(Debug)]
enum News {
    /// So many samples of the first look are taken.
    Looked(usize, usize),
    Ticked(Box<Seen>),
    Answered(Answer),
    /// A key, or another size of the terminal.
    Pressed(Result<Event>),
}

/// A tick, and how it was made.
#[derive(Debug)]
struct Seen {
    report: Report,
    host: Host,
}

pub(crate) fn top(settings: &Settings, args: &Top) -> Outcome {
    if !(std::io::stdout().is_terminal() && std::io::stdin().is_terminal()) {
        return Err(Error::unavailable(
            "the terminal",
            "`top` draws on one: for a pipe or a file there are `analyze` and `watch`",
        ));
    }
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM, SIGHUP, SIGQUIT] {
        signal_hook::flag::register(signal, Arc::clone(&stop))
            .map_err(|e| Error::other("listening for signals", e))?;
    }
    let mut options = settings.engine("top", !args.no_watch);
    options.config.refit_elsewhere = true;
    // Opened here, so that what cannot be opened at all is told before anything is drawn.
    let engine = host::open(&options)?;
    let (tell, news) = channel();
    let desk = Desk::start(options.clone(), tell.clone())?;
    let mut state = State::new(engine.host_info().clone(), host_of(&engine), host::now());
    let mut screen = Screen::open()?;
    listen(tell.clone())?;
    let ticks = Ticking::start(settings, options, engine, Told(tell), &stop)?;
    let shown = show(&mut screen, &mut state, &news, &desk, &stop);
    stop.store(true, Ordering::Relaxed);
    // Before anything is waited for or said.
    screen.close();
    let ended = ticks.join();
    screen::tell_panics();
    shown?;
    let ended =
        ended.map_err(|_| Error::unavailable("the engine", "its thread ended in a panic"))?;
    // What was noted before was shown.
    let unsaved: Vec<Notice> = ended.notices.into_iter().filter(|n| n.warning).collect();
    super::live::warn(&unsaved);
    Ok(ended.worst)
}

/// Draws until somebody wants to leave.
fn show(
    screen: &mut Screen,
    state: &mut State,
    news: &Receiver<News>,
    desk: &Desk,
    stop: &AtomicBool,
) -> Result<()> {
    let theme = Theme::of_environment();
    let (mut drawn, mut read) = (None::<Instant>, None::<Instant>);
    while !stop.load(Ordering::Relaxed) {
        let mut is_new = drawn.is_none_or(|at| at.elapsed() >= REDRAWN);
        let first = news.recv_timeout(ATTENTION).ok();
        for told in first.into_iter().chain(news.try_iter()) {
            is_new = true;
            match heed(state, told, desk)? {
                Wish::Leave => return Ok(()),
                Wish::Pause => screen.pause()?,
                Wish::Ask(task) => desk.ask(task),
                Wish::Stay => {}
            }
        }
        if state.wants_history || read.is_none_or(|at| at.elapsed() >= REREAD) {
            (state.wants_history, read) = (false, Some(Instant::now()));
            desk.ask(Task::Read { now: host::now(), span: state.range() });
        }
        if std::mem::take(&mut state.wants_repaint) {
            screen.anew()?;
        }
        if let Some(id) = state.wants_similar() {
            desk.ask(Task::Similar(id));
        }
        if is_new {
            state.now = host::now();
            draw_and_export(screen, state, &theme)?;
            drawn = Some(Instant::now());
        }
    }
    Ok(())
}

/// Reads keys in a thread of its own: a terminal that went away would never let go of whoever waits for its next key. The
/// process ends without waiting for this thread.
fn listen(tell: Sender<News>) -> Result<()> {
    let thread = std::thread::Builder::new().name("keys".to_owned());
    let listening = thread.spawn(move || {
        loop {
            let read = event::read().map_err(|e| Error::other("reading keys from the terminal", e));
            let is_last = read.is_err();
            if tell.send(News::Pressed(read)).is_err() || is_last {
                return;
            }
        }
    });
    listening.map(drop).map_err(|e| Error::other("starting the thread that reads keys", e))
}

fn draw_and_export(screen: &mut Screen, state: &mut State, theme: &Theme) -> Result<()> {
    let is_wanted = state.export.is_some();
    let text = screen.draw(|frame| draw::all(frame, state, theme), is_wanted)?;
    if let Some(form) = state.export.take() {
        match export::write(form, &text, state) {
            Ok(name) => state.say(format!("What is seen was written to {name}.")),
            Err(e) => state.warn(format!("Nothing was written: {e}.")),
        }
        screen.draw(|frame| draw::all(frame, state, theme), false)?;
    }
    Ok(())
}

fn heed(state: &mut State, told: News, desk: &Desk) -> Result<Wish> {
    match told {
        News::Looked(done, total) => state.first_look = Some((done, total)),
        News::Ticked(seen) => {
            state.ticked(seen.report, seen.host);
            desk.ask(Task::Processes);
        }
        News::Answered(answer) => state.answered(answer),
        News::Pressed(event) => {
            if let Event::Key(key) = event? {
                return Ok(keys::pressed(state, key));
            }
        }
    }
    Ok(Wish::Stay)
}

fn host_of(engine: &Engine) -> Host {
    Host {
        is_sampler: engine.role() == Role::Sampler,
        step: engine.config().step,
        budget: engine.config().alarm_budget.to_string(),
    }
}

/// Hands each tick to the thread that draws. Where that has ended, nobody listens and nothing is wrong.
struct Told(Sender<News>);

impl Viewer for Told {
    fn looked(&mut self, done: usize, total: usize) {
        let _ = self.0.send(News::Looked(done, total));
    }

    fn ticked(&mut self, engine: &Engine, report: &Report, _lateness: Duration) {
        let seen = Seen { report: report.clone(), host: host_of(engine) };
        let _ = self.0.send(News::Ticked(Box::new(seen)));
    }
}

/// A time of the past as a chart's axis names it.
fn since(now: Timestamp, then: Timestamp) -> String {
    now.since(then).to_string()
}

#[cfg(test)]
mod tests;
