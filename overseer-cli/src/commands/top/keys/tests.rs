use super::*;
use crate::commands::top::tests::scene;
use ratatui::crossterm::event::KeyEventState;

fn press(state: &mut State, code: KeyCode) -> Wish {
    pressed(state, KeyEvent::new(code, KeyModifiers::NONE))
}

fn char(state: &mut State, key: char) -> Wish {
    press(state, KeyCode::Char(key))
}

#[test]
fn nothing_is_decided_by_one_key() {
    let mut state = scene();
    for (key, answer, task) in [
        ('a', 'y', Task::Acknowledge(12)),
        ('l', 'f', Task::Label(12, LabelKind::FalseAlarm)),
        ('l', 'i', Task::Label(12, LabelKind::Incident)),
        ('l', 'e', Task::Label(12, LabelKind::Expected)),
        (
            's',
            '4',
            Task::Silence {
                features: vec!["system.cpu.utilization".to_owned()],
                of: "CPU".to_owned(),
                lasting: Span::from_secs(4 * 3600),
            },
        ),
    ] {
        assert_eq!(char(&mut state, key), Wish::Stay);
        assert!(asked(state.question.as_ref().unwrap()).contains(&format!("{answer}: ")));
        assert_eq!(char(&mut state, answer), Wish::Ask(task));
        assert_eq!(state.question, None);
        char(&mut state, key);
        assert_eq!(char(&mut state, 'x'), Wish::Stay);
        assert!(state.said().unwrap().text.contains("Nothing was done"));
        char(&mut state, key);
        assert_eq!(press(&mut state, KeyCode::Esc), Wish::Stay);
        assert_eq!(state.question, None);
    }
}

#[test]
fn what_is_over_or_not_there_is_not_asked_about() {
    let mut state = scene();
    state.incidents[0].id = 0;
    char(&mut state, 'a');
    assert!(state.question.is_none() && state.said().unwrap().text.contains("not stored yet"));
    state.incidents.clear();
    for key in ['a', 'l'] {
        char(&mut state, key);
        assert!(state.question.is_none() && state.said().unwrap().text.contains("no incident"));
    }
    char(&mut state, 's');
    let asked = asked(state.question.as_ref().unwrap());
    assert!(asked.contains("everything"), "{asked}");
}

#[test]
fn keys_move_turn_and_leave() {
    let mut state = scene();
    char(&mut state, 'k');
    assert_eq!(state.feature, 0, "there is nothing above the first");
    press(&mut state, KeyCode::Down);
    assert_eq!(state.chosen_feature().as_deref(), Some("system.cpu.utilization"));
    press(&mut state, KeyCode::End);
    assert_eq!(state.chosen_feature().as_deref(), Some("linux.pressure.memory"));
    press(&mut state, KeyCode::Home);
    assert_eq!(state.feature, 0);
    press(&mut state, KeyCode::Tab);
    assert_eq!((state.focus, state.panel), (Focus::Panel, Panel::Incidents));
    press(&mut state, KeyCode::BackTab);
    press(&mut state, KeyCode::BackTab);
    assert_eq!((state.focus, state.panel), (Focus::Panel, Panel::Notes));
    press(&mut state, KeyCode::Esc);
    assert_eq!(state.focus, Focus::Features);
    let hour = state.range();
    char(&mut state, '+');
    assert!(state.range() > hour && state.wants_history);
    (0..20).for_each(|_| drop(char(&mut state, '+')));
    assert_eq!(state.range(), Span::from_secs(90 * 86_400));
    (0..20).for_each(|_| drop(char(&mut state, '-')));
    assert_eq!(state.range(), Span::from_secs(300));
    char(&mut state, '?');
    assert!(state.is_help);
    char(&mut state, 'x');
    assert!(!state.is_help);
    assert_eq!(char(&mut state, 'q'), Wish::Leave);
    let control = KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL);
    char(&mut state, 'a');
    assert_eq!(pressed(&mut state, control), Wish::Leave, "also while something is asked");
    let released = KeyEvent {
        code: KeyCode::Char('q'),
        modifiers: KeyModifiers::NONE,
        kind: KeyEventKind::Release,
        state: KeyEventState::NONE,
    };
    assert_eq!(pressed(&mut state, released), Wish::Stay);
}

#[test]
fn every_key_of_the_bottom_line_is_in_the_help() {
    let all: String = KEYS.iter().map(|(key, _)| *key).collect::<Vec<_>>().join(" ");
    for key in ["q", "?", "Enter", "Tab", "+ -", "a", "l", "s", "w", "o", "r", "W"] {
        assert!(all.contains(key), "{key}");
    }
}
