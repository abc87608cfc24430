//! The terminal while it is ours, and giving it back as it was: on leaving, on an error, on a panic of any thread.

use overseer_engine::core::{Error, Result};
use ratatui::Frame;
use ratatui::backend::CrosstermBackend;
use ratatui::crossterm::cursor::Show;
use ratatui::crossterm::execute;
use ratatui::crossterm::terminal::{
    Clear, ClearType, EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
};
use ratatui::{Terminal, buffer::Buffer};
use std::io::Stdout;
use std::sync::{Mutex, Once, PoisonError};
use std::thread::ThreadId;

/// The thread whose screen it is, while there is one.
static OWNER: Mutex<Option<ThreadId>> = Mutex::new(None);
/// What other threads' panics said meanwhile.
static PANICS: Mutex<Vec<String>> = Mutex::new(Vec::new());
static HOOK: Once = Once::new();

/// The terminal in raw mode, on its alternate screen. Dropping it gives the terminal back.
#[derive(Debug)]
pub(super) struct Screen {
    terminal: Terminal<CrosstermBackend<Stdout>>,
}

impl Screen {
    /// Takes the terminal.
    ///
    /// # Errors
    /// If it does not do what a terminal does; it is as it was then.
    pub(super) fn open() -> Result<Self> {
        HOOK.call_once(hook);
        take()?;
        match Terminal::new(CrosstermBackend::new(std::io::stdout())) {
            Ok(terminal) => Ok(Self { terminal }),
            Err(e) => {
                give_back();
                Err(failed(e))
            }
        }
    }

    /// Draws, and gives what is then seen as text, if that is wanted.
    pub(super) fn draw(
        &mut self,
        draw: impl FnOnce(&mut Frame<'_>),
        is_wanted: bool,
    ) -> Result<String> {
        let done = self.terminal.draw(draw).map_err(failed)?;
        Ok(if is_wanted { text(done.buffer) } else { String::new() })
    }

    /// Gives the terminal back until the shell lets this process go on.
    #[cfg(unix)]
    pub(super) fn pause(&mut self) -> Result<()> {
        give_back();
        let stopped = signal_hook::low_level::raise(signal_hook::consts::SIGSTOP);
        take()?;
        stopped.map_err(failed)?;
        self.anew()
    }

    #[cfg(not(unix))]
    pub(super) fn pause(&mut self) -> Result<()> {
        Ok(())
    }

    /// Has the next drawing write every cell, whatever another program left there.
    pub(super) fn anew(&mut self) -> Result<()> {
        // Not `Terminal::clear`: that asks the terminal where its cursor is, and the thread that reads keys has the answer.
        execute!(std::io::stdout(), Clear(ClearType::All)).map_err(failed)?;
        self.terminal = Terminal::new(CrosstermBackend::new(std::io::stdout())).map_err(failed)?;
        Ok(())
    }

    /// Gives the terminal back; nothing is drawn after.
    pub(super) fn close(self) {}
}

impl Drop for Screen {
    fn drop(&mut self) {
        give_back();
    }
}

fn failed(error: std::io::Error) -> Error {
    Error::other("drawing on the terminal", error)
}

fn take() -> Result<()> {
    *OWNER.lock().unwrap_or_else(PoisonError::into_inner) = Some(std::thread::current().id());
    let taken = enable_raw_mode().and_then(|()| execute!(std::io::stdout(), EnterAlternateScreen));
    taken.map_err(|e| {
        give_back();
        failed(e)
    })
}

/// As often as one likes. A terminal that went away has nothing left to give back.
fn give_back() {
    if OWNER.lock().unwrap_or_else(PoisonError::into_inner).take().is_none() {
        return;
    }
    let _ = execute!(std::io::stdout(), LeaveAlternateScreen, Show);
    let _ = disable_raw_mode();
}

/// A panic of the thread that draws gives the terminal back before it is told; that of another thread is kept until the
/// screen is closed, for it may be survived, and would be drawn over.
fn hook() {
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        let owner = *OWNER.lock().unwrap_or_else(PoisonError::into_inner);
        match owner {
            Some(owner) if owner != std::thread::current().id() => {
                PANICS.lock().unwrap_or_else(PoisonError::into_inner).push(info.to_string());
            }
            _ => {
                give_back();
                before(info);
            }
        }
    }));
}

/// Tells what was kept of other threads' panics, after the screen is closed.
pub(super) fn tell_panics() {
    for said in PANICS.lock().unwrap_or_else(PoisonError::into_inner).drain(..) {
        crate::logging::fail(&said);
    }
}

/// What is seen, a line each, without colours and without blanks at the ends.
pub(super) fn text(buffer: &Buffer) -> String {
    let width = usize::from(buffer.area.width).max(1);
    let mut out = String::new();
    for row in buffer.content().chunks(width) {
        let line: String = row.iter().map(ratatui::buffer::Cell::symbol).collect();
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}

#[cfg(all(test, unix))]
mod tests;
