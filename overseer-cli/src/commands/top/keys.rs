//! What each key does. Nothing is decided without a question at the bottom that a second key answers.

use super::desk::Task;
use super::export::Form;
use super::state::{Focus, Panel, Question, State};
use overseer_engine::core::{IncidentKind, LabelKind, Span, host as host_schema};
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

/// What a key asks of others.
#[derive(Debug, PartialEq)]
pub(super) enum Wish {
    Stay,
    Leave,
    /// Back to the shell until it says otherwise.
    Pause,
    Ask(Task),
}

/// The keys as they are told in the help, the most used first.
pub(super) const KEYS: [(&str, &str); 16] = [
    ("q, Ctrl-C", "leave"),
    ("↑ ↓, k j", "choose a feature or an incident, or scroll"),
    ("PgUp PgDn", "the same, ten at a time"),
    ("Enter", "everything about the chosen feature or incident, and back"),
    ("Esc", "back to the features"),
    ("Tab, 1 to 7", "the panels: incidents, processes, advice, room, patterns, models, notes"),
    ("+ -", "show a longer or a shorter past, 5 min to 90 days"),
    ("a", "look after the chosen incident: nobody is reminded of it any more"),
    ("l", "say what the chosen incident was: false alarm, incident, expected"),
    ("s", "silence what is like the chosen incident, or everything, for a while"),
    ("o", "order processes by CPU, memory or I/O"),
    ("w", "write what is seen to a text file in this directory"),
    ("W", "write what is shown as JSON: the report, the past, the processes"),
    ("r", "read the database and draw anew"),
    ("Ctrl-Z", "back to the shell until `fg`"),
    ("?", "this help"),
];

/// How long a silence may be, by its key.
const SILENCES: [(char, Span); 4] = [
    ('1', Span::from_secs(3600)),
    ('4', Span::from_secs(4 * 3600)),
    ('d', Span::from_secs(86_400)),
    ('w', Span::from_secs(7 * 86_400)),
];

pub(super) fn pressed(state: &mut State, key: KeyEvent) -> Wish {
    if key.kind == KeyEventKind::Release {
        return Wish::Stay;
    }
    if key.modifiers.contains(KeyModifiers::CONTROL) {
        return match key.code {
            KeyCode::Char('c') => Wish::Leave,
            KeyCode::Char('z') => Wish::Pause,
            KeyCode::Char('l') => reread(state),
            _ => Wish::Stay,
        };
    }
    state.hush();
    if let Some(question) = state.question.take() {
        return answered(state, question, key.code);
    }
    if state.is_help {
        state.is_help = false;
        return if key.code == KeyCode::Char('q') { Wish::Leave } else { Wish::Stay };
    }
    plain(state, key.code)
}

fn plain(state: &mut State, key: KeyCode) -> Wish {
    match key {
        KeyCode::Char('q') => return Wish::Leave,
        KeyCode::Up | KeyCode::Char('k') => state.step(-1),
        KeyCode::Down | KeyCode::Char('j') => state.step(1),
        KeyCode::PageUp => state.step(-10),
        KeyCode::PageDown => state.step(10),
        KeyCode::Home => state.step(isize::MIN),
        KeyCode::End => state.step(isize::MAX),
        KeyCode::Enter | KeyCode::Char(' ') => state.is_detail = !state.is_detail,
        KeyCode::Esc => {
            state.focus = if state.is_detail { state.focus } else { Focus::Features };
            state.is_detail = false;
        }
        KeyCode::Tab => state.turn(1),
        KeyCode::BackTab => state.turn(-1),
        KeyCode::Char(digit @ '1'..='7') => {
            state.go_to(digit.to_digit(10).map_or(0, |d| d as usize - 1));
        }
        KeyCode::Char('+' | '=' | ']') => state.change_range(true),
        KeyCode::Char('-' | '[') => state.change_range(false),
        KeyCode::Char('a') => acknowledge(state),
        KeyCode::Char('l') => label(state),
        KeyCode::Char('s') => silence(state),
        KeyCode::Char('o') => {
            state.reorder();
            (state.focus, state.panel) = (Focus::Panel, Panel::Processes);
        }
        KeyCode::Char('w') => state.export = Some(Form::Text),
        KeyCode::Char('W') => state.export = Some(Form::Json),
        KeyCode::Char('r') => return reread(state),
        KeyCode::Char('?' | 'h') | KeyCode::F(1) => state.is_help = true,
        _ => {}
    }
    Wish::Stay
}

fn reread(state: &mut State) -> Wish {
    (state.wants_history, state.wants_repaint) = (true, true);
    Wish::Ask(Task::Processes)
}

fn acknowledge(state: &mut State) {
    match state.chosen_incident() {
        None => state.say("There is no incident to look after.".to_owned()),
        Some(i) if i.id == 0 => {
            state.say("This incident is not stored yet: try again after the next tick.".to_owned());
        }
        Some(i) if !i.is_open() => {
            let said = format!("Incident #{} is over already.", i.id);
            state.say(said);
        }
        Some(i) => state.question = Some(Question::Acknowledge { id: i.id }),
    }
}

fn label(state: &mut State) {
    match state.chosen_incident() {
        None => state.say("There is no incident to label.".to_owned()),
        Some(i) if i.id == 0 => {
            state.say("This incident is not stored yet: try again after the next tick.".to_owned());
        }
        Some(i) => state.question = Some(Question::Label { id: i.id }),
    }
}

/// Of what leads the chosen incident, or of everything where none is chosen.
fn silence(state: &mut State) {
    let lead = state.chosen_incident().filter(|i| i.is_open()).and_then(|i| match i.kind {
        IncidentKind::Anomaly => i.features.first().map(|f| f.feature.clone()),
        _ => Some(i.subject.clone()).filter(|s| !s.is_empty()),
    });
    let features: Vec<String> = lead.into_iter().collect();
    let of = features.first().map_or("everything", |f| host_schema::plain_name(f)).to_owned();
    state.question = Some(Question::Silence { features, of });
}

fn answered(state: &mut State, question: Question, key: KeyCode) -> Wish {
    let KeyCode::Char(key) = key else {
        state.say("Nothing was done.".to_owned());
        return Wish::Stay;
    };
    let task = match question {
        Question::Acknowledge { id } => (key == 'y').then_some(Task::Acknowledge(id)),
        Question::Label { id } => match key {
            'f' => Some(LabelKind::FalseAlarm),
            'i' => Some(LabelKind::Incident),
            'e' => Some(LabelKind::Expected),
            _ => None,
        }
        .map(|kind| Task::Label(id, kind)),
        Question::Silence { features, of } => {
            let chosen = SILENCES.iter().find(|(known, _)| *known == key);
            chosen.map(|&(_, lasting)| Task::Silence { features, of, lasting })
        }
    };
    match task {
        Some(task) => Wish::Ask(task),
        None => {
            state.say("Nothing was done.".to_owned());
            Wish::Stay
        }
    }
}

/// What the bottom line asks.
pub(super) fn asked(question: &Question) -> String {
    match question {
        Question::Acknowledge { id } => {
            format!("Look after incident #{id}, so that nobody is reminded of it?  y: yes  n: no")
        }
        Question::Label { id } => {
            format!(
                "What was incident #{id}?  f: false alarm  i: incident  e: expected  Esc: leave it"
            )
        }
        Question::Silence { of, .. } => {
            format!("Silence {of} for  1: an hour  4: 4 hours  d: a day  w: a week  Esc: leave it")
        }
    }
}

#[cfg(test)]
mod tests;
