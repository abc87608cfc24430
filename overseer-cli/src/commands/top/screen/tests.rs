//! A panic needs a terminal and a process of its own: this test's executable, run again in a pseudo-terminal.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "in tests a panic is the report"
)]

use super::*;
use portable_pty::{CommandBuilder, PtySize, native_pty_system};
use std::io::Read;

const CHILD: &str = "OVERSEER_TEST_PANICS";

/// Not a test by itself: what the test below runs.
#[test]
fn panics_on_the_screen() {
    let Ok(which) = std::env::var(CHILD) else { return };
    let mut screen = Screen::open().unwrap();
    screen
        .draw(
            |frame| frame.render_widget(ratatui::text::Line::from("on the screen"), frame.area()),
            false,
        )
        .unwrap();
    if which == "other" {
        let other = std::thread::spawn(|| panic!("beside the screen"));
        assert!(other.join().is_err());
        screen.close();
        tell_panics();
        return;
    }
    panic!("in the middle of drawing");
}

fn run(which: &str) -> (String, bool) {
    let pair = native_pty_system().openpty(PtySize::default()).unwrap();
    let before = pair.master.get_termios().unwrap();
    let mut command = CommandBuilder::new(std::env::current_exe().unwrap());
    let name = module_path!().split_once("::").unwrap().1;
    command.args([&format!("{name}::panics_on_the_screen"), "--exact", "--nocapture"]);
    command.env(CHILD, which);
    let mut child = pair.slave.spawn_command(command).unwrap();
    let mut reader = pair.master.try_clone_reader().unwrap();
    let output = std::thread::spawn(move || {
        let mut all = Vec::new();
        let mut some = [0; 4096];
        // The end of a pseudo-terminal is an error on Linux.
        while let Ok(n @ 1..) = reader.read(&mut some) {
            all.extend_from_slice(&some[..n]);
        }
        String::from_utf8_lossy(&all).into_owned()
    });
    child.wait().unwrap();
    let is_restored = pair.master.get_termios().unwrap() == before;
    drop(pair);
    (output.join().unwrap(), is_restored)
}

#[test]
fn a_panic_gives_the_terminal_back_before_it_is_told() {
    for (which, said) in [("own", "in the middle of drawing"), ("other", "beside the screen")] {
        let (output, is_restored) = run(which);
        assert!(is_restored, "{which}: the modes are those of before");
        let left = output.find("\x1b[?1049l").expect("it leaves the alternate screen");
        let told = output.find(said).unwrap_or_else(|| panic!("no {said:?} in {output:?}"));
        assert!(left < told, "{which}: told where it stays: {output:?}");
        assert!(output[left..].contains("\x1b[?25h"), "the cursor is there again");
    }
}
