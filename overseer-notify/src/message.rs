//! What programs are told: a notification with its number and a text, as one line of JSON.

use crate::text;
use overseer_core::{
    AlertState, Error, Notification, NotificationReason, Result, Severity, Timestamp,
};
use serde::Serialize;

/// The number of a test notification; those of the outbox are above zero.
pub const TEST_ID: i64 = 0;

/// A notification that says of itself that it is a test, to be delivered as number [`TEST_ID`].
pub fn test_notification(host: impl Into<String>, now: Timestamp) -> Notification {
    let (reason, state) = (NotificationReason::Fired, AlertState::Firing);
    let mut test = Notification::new(host, now, reason, state, Severity::Medium, now);
    test.description = "this is a test of Overseer; nothing is wrong".to_owned();
    test.suggested_actions = vec!["Nothing: what you read has arrived.".to_owned()];
    test
}

/// The JSON that files, commands and webhooks get: the fields of the notification among these.
#[derive(Serialize)]
struct Message<'a> {
    version: u32,
    id: i64,
    test: bool,
    subject: &'a str,
    #[serde(flatten)]
    notification: &'a Notification,
}

/// The message as one line of JSON, without its end of line.
pub(crate) fn json(id: i64, notification: &Notification) -> Result<String> {
    let subject = text::subject(id, notification);
    let message = Message { version: 1, id, test: id == TEST_ID, subject: &subject, notification };
    serde_json::to_string(&message).map_err(|e| Error::other("writing a message as JSON", e))
}

/// Text of a stranger, such as what a server answers: without control characters, and at most so many characters.
pub(crate) fn one_line(text: &str, most: usize) -> String {
    let mut line: String = text
        .chars()
        .take(most.saturating_mul(2).saturating_add(64))
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect::<String>()
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ");
    if line.chars().count() > most {
        line = line.chars().take(most.saturating_sub(1)).collect();
        line.push('…');
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_one_line_and_holds_the_notification() {
        let mut told = test_notification("web\n1", Timestamp::from_millis(5));
        told.description = "a\nb".to_owned();
        let line = json(3, &told).unwrap();
        assert!(!line.contains('\n'));
        let value: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!(value["id"], 3);
        assert_eq!(value["test"], false);
        assert_eq!(value["subject"], "[medium] web 1: a b");
        let back: Notification = serde_json::from_value(value).unwrap();
        assert_eq!(back, told);
    }

    #[test]
    fn a_strangers_text_is_cut_and_has_no_control_characters() {
        assert_eq!(one_line("  no\r\n such\u{1b}[31m  thing ", 99), "no such [31m thing");
        assert_eq!(one_line("abcdef", 4), "abc…");
        assert_eq!(one_line("abcd", 4), "abcd");
    }
}
