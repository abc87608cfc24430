//! A notification on a desktop.

use crate::text::subject;
use overseer_core::{Error, Notification, Result, Severity, Sink};

/// Shows each notification on the desktop of who runs the program, as the desktop shows those of other programs.
///
/// On a host without a desktop, or from a service that belongs to none, it fails and is tried again.
#[derive(Debug)]
pub struct DesktopSink {
    name: String,
}

impl DesktopSink {
    /// The desktop of this session.
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into() }
    }
}

impl Sink for DesktopSink {
    fn name(&self) -> &str {
        &self.name
    }

    fn deliver(&mut self, id: i64, n: &Notification) -> Result<()> {
        let what = n.suggested_actions.first().map_or("", String::as_str);
        let mut shown = notify_rust::Notification::new();
        shown.appname("Overseer").summary(&subject(id, n)).body(&plain(what));
        #[cfg(all(unix, not(target_os = "macos")))]
        shown.urgency(match n.severity {
            Severity::Critical => notify_rust::Urgency::Critical,
            _ => notify_rust::Urgency::Normal,
        });
        let told = shown.show();
        told.map(drop).map_err(|e| Error::unavailable("the desktop", e.to_string()))
    }
}

/// Text without what desktops take for markup.
fn plain(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_is_text() {
        assert_eq!(plain("<b>a & b</b>"), "&lt;b&gt;a &amp; b&lt;/b&gt;");
    }
}
