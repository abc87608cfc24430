//! What is known and what is chosen: everything the drawing needs, and nothing of the terminal.

use super::desk::{Answer, Order};
use super::export::Form;
use super::series::Series;
use overseer_engine::Report;
use overseer_engine::core::{
    HostInfo, Incident, ProcessUsage, Span, Timestamp, host as host_schema,
};
use overseer_engine::usual::UsualHours;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The spans that can be shown.
pub(super) const RANGES: [Span; 8] = [
    Span::from_secs(300),
    Span::from_secs(900),
    Span::from_secs(3600),
    Span::from_secs(6 * 3600),
    Span::from_secs(24 * 3600),
    Span::from_secs(7 * 86_400),
    Span::from_secs(30 * 86_400),
    Span::from_secs(90 * 86_400),
];
/// The span at the start: an hour.
const AT_FIRST: usize = 2;
/// How long something that was said stays at the bottom.
const SAID: Duration = Duration::from_secs(8);

/// How the host is watched.
#[derive(Debug, Clone)]
pub(super) struct Host {
    pub(super) is_sampler: bool,
    pub(super) step: Span,
    /// The alarm budget as it is written: `1/week`.
    pub(super) budget: String,
}

/// What is below the features, or beside them where there is room.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Panel {
    Incidents,
    Processes,
    Advice,
    Room,
    Patterns,
    Models,
    Notes,
}

impl Panel {
    pub(super) const ALL: [Self; 7] = [
        Self::Incidents,
        Self::Processes,
        Self::Advice,
        Self::Room,
        Self::Patterns,
        Self::Models,
        Self::Notes,
    ];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Incidents => "Incidents",
            Self::Processes => "Processes",
            Self::Advice => "Advice",
            Self::Room => "Room",
            Self::Patterns => "Patterns",
            Self::Models => "Models",
            Self::Notes => "Notes",
        }
    }

    fn index(self) -> usize {
        Self::ALL.iter().position(|p| *p == self).unwrap_or(0)
    }
}

/// Where the arrow keys go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Focus {
    Features,
    Panel,
}

/// A question at the bottom, which the next key answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Question {
    Acknowledge { id: i64 },
    Label { id: i64 },
    Silence { features: Vec<String>, of: String },
}

/// What was said at the bottom, since when, and whether something is wrong.
#[derive(Debug)]
pub(super) struct Said {
    pub(super) text: String,
    since: Instant,
    pub(super) is_warning: bool,
}

#[derive(Debug)]
pub(super) struct State {
    pub(super) now: Timestamp,
    pub(super) info: HostInfo,
    pub(super) host: Host,
    /// The newest report, with what was found last.
    pub(super) report: Option<Report>,
    pub(super) first_look: Option<(usize, usize)>,
    pub(super) series: Series,
    /// What was usual at each hour of the shown span.
    pub(super) usual: Option<Arc<UsualHours>>,
    pub(super) incidents: Vec<Incident>,
    /// Earlier incidents like the one of this number.
    pub(super) similar: Option<(i64, Vec<Incident>)>,
    /// Of which incident those were asked for last.
    similar_asked: Option<i64>,
    pub(super) processes: Vec<ProcessUsage>,
    /// Why no processes can be shown.
    pub(super) no_processes: Option<String>,
    /// Alerts in the last seven days, as stored; `None` if that cannot be told.
    pub(super) alerts_last_week: Option<usize>,
    /// Why the past cannot be shown.
    pub(super) no_history: Option<String>,
    pub(super) order: Order,
    range: usize,
    pub(super) wants_history: bool,
    /// Whether all of the screen is to be written anew.
    pub(super) wants_repaint: bool,
    pub(super) focus: Focus,
    pub(super) panel: Panel,
    /// 0 is the performance score, then the features in the schema's order.
    pub(super) feature: usize,
    pub(super) is_detail: bool,
    pub(super) is_help: bool,
    /// The chosen incident, and how far each other panel is scrolled.
    pub(super) incident: usize,
    scroll: [usize; Panel::ALL.len()],
    pub(super) question: Option<Question>,
    said: Option<Said>,
    pub(super) export: Option<Form>,
}

impl State {
    pub(super) fn new(info: HostInfo, host: Host, now: Timestamp) -> Self {
        Self {
            now,
            info,
            host,
            report: None,
            first_look: None,
            series: Series::default(),
            usual: None,
            incidents: Vec::new(),
            similar: None,
            similar_asked: None,
            processes: Vec::new(),
            no_processes: None,
            alerts_last_week: None,
            no_history: None,
            order: Order::Cpu,
            range: AT_FIRST,
            wants_history: true,
            wants_repaint: false,
            focus: Focus::Features,
            panel: Panel::Incidents,
            feature: 0,
            is_detail: false,
            is_help: false,
            incident: 0,
            scroll: [0; Panel::ALL.len()],
            question: None,
            said: None,
            export: None,
        }
    }

    /// The span that is shown.
    pub(super) fn range(&self) -> Span {
        RANGES.get(self.range).copied().unwrap_or_default()
    }

    /// A longer or a shorter span.
    pub(super) fn change_range(&mut self, is_longer: bool) {
        let range = if is_longer { self.range + 1 } else { self.range.saturating_sub(1) };
        let range = range.min(RANGES.len() - 1);
        self.wants_history |= range != self.range;
        self.range = range;
    }

    /// Of a host that is known for less than the first span, a shorter one shows more.
    fn choose_range(&mut self, report: &Report) {
        let known = report.learned.span.map_or(Span::default(), |(from, to)| to.since(from));
        if self.range == AT_FIRST {
            self.range = RANGES.iter().position(|r| *r >= known).unwrap_or(AT_FIRST).min(AT_FIRST);
            self.wants_history = true;
        }
    }

    /// From when to when is shown.
    pub(super) fn span(&self) -> (Timestamp, Timestamp) {
        (self.now - self.range(), self.now)
    }

    pub(super) fn ticked(&mut self, mut report: Report, host: Host) {
        self.first_look = None;
        if self.report.is_none() {
            self.choose_range(&report);
        }
        if let Some(current) = &report.current {
            self.series.tick(current, host.step);
        }
        if let Some(before) = &self.report {
            report.keep_found(before);
            // Notes of a single tick would be gone before anybody has read them.
            for notice in before.notices.iter().rev() {
                if report.notices.len() < 50 && !report.notices.contains(notice) {
                    report.notices.push(notice.clone());
                }
            }
        }
        self.alerts_last_week = self.alerts_last_week.map(|n| n + usize::from(report.alert));
        self.heed_incidents(&report.incidents);
        self.wants_history |= report.alert;
        self.host = host;
        self.report = Some(report);
    }

    /// The incidents of the newest tick are newer than those that were read; one without a number is not stored yet.
    fn heed_incidents(&mut self, fresh: &[Incident]) {
        for incident in fresh.iter().rev() {
            let is_same = |k: &&mut Incident| {
                (k.id == incident.id && k.id > 0)
                    || (k.id == 0 && k.kind == incident.kind && k.began_at == incident.began_at)
            };
            match self.incidents.iter_mut().find(is_same) {
                Some(known) => *known = incident.clone(),
                None if incident.is_open() => self.incidents.insert(0, incident.clone()),
                None => {}
            }
        }
        self.incidents.sort_by_key(|i| (!i.is_open(), std::cmp::Reverse(i.began_at)));
        self.incident = self.incident.min(self.incidents.len().saturating_sub(1));
    }

    pub(super) fn answered(&mut self, answer: Answer) {
        match answer {
            Answer::Read { summary, usual, incidents, alerts, span } => {
                self.no_history = None;
                if span == self.range() {
                    self.usual = Some(usual);
                    self.series.read(&summary);
                }
                self.incidents = incidents;
                let fresh = self.report.as_ref().map(|r| r.incidents.clone()).unwrap_or_default();
                self.heed_incidents(&fresh);
                self.alerts_last_week = Some(alerts);
            }
            Answer::Unread(why) => self.no_history = Some(why),
            Answer::Similar(id, similar) => self.similar = Some((id, similar)),
            Answer::Processes(processes) => {
                self.processes = processes;
                self.no_processes = None;
                self.sort_processes();
            }
            Answer::NoProcesses(why) => self.no_processes = Some(why),
            Answer::Done(said) => {
                self.say(said);
                self.wants_history = true;
            }
            Answer::Refused(why) => self.warn(why),
        }
    }

    /// The next order of processes.
    pub(super) fn reorder(&mut self) {
        self.order = self.order.next();
        self.sort_processes();
    }

    fn sort_processes(&mut self) {
        let order = self.order;
        // What is not known is least.
        let key = |p: &ProcessUsage| {
            let v = order.of(p);
            if v.is_nan() { f64::NEG_INFINITY } else { v }
        };
        self.processes.sort_by(|a, b| key(b).total_cmp(&key(a)).then(a.pid.cmp(&b.pid)));
    }

    /// The incident that keys are about: the chosen one, if any is there.
    pub(super) fn chosen_incident(&self) -> Option<&Incident> {
        self.incidents.get(self.incident)
    }

    /// The incident of which all is shown, if nobody asked yet what was like it before. Now somebody has.
    pub(super) fn wants_similar(&mut self) -> Option<i64> {
        let is_shown =
            self.is_detail && (self.focus, self.panel) == (Focus::Panel, Panel::Incidents);
        let id = self.chosen_incident().filter(|_| is_shown).map(|i| i.id).filter(|id| *id > 0)?;
        (self.similar_asked.replace(id) != Some(id)).then_some(id)
    }

    /// The name of the chosen feature; `None` for the performance score.
    pub(super) fn chosen_feature(&self) -> Option<String> {
        let index = self.feature.checked_sub(1)?;
        host_schema::schema().features().get(index).map(|f| f.name.clone())
    }

    /// One up or down, or a page, in what has the focus.
    pub(super) fn step(&mut self, by: isize) {
        let moved = |at: usize, last: usize| at.saturating_add_signed(by).min(last);
        match (self.focus, self.panel) {
            (Focus::Features, _) => {
                self.feature = moved(self.feature, host_schema::schema().len());
            }
            (Focus::Panel, Panel::Incidents) => {
                self.incident = moved(self.incident, self.incidents.len().saturating_sub(1));
            }
            // The drawing knows how long a panel is, and keeps this within.
            (Focus::Panel, panel) => {
                let at = &mut self.scroll[panel.index()];
                *at = moved(*at, 10_000);
            }
        }
    }

    /// From which line on a panel of so many lines is shown in so many rows.
    pub(super) fn scrolled(&mut self, panel: Panel, lines: usize, rows: usize) -> usize {
        let at = &mut self.scroll[panel.index()];
        *at = (*at).min(lines.saturating_sub(rows));
        *at
    }

    /// The next panel, or the one before, gets the focus; after the last one the features do.
    pub(super) fn turn(&mut self, by: isize) {
        let count = Panel::ALL.len() + 1;
        let at = match self.focus {
            Focus::Features => 0,
            Focus::Panel => 1 + self.panel.index(),
        };
        let next = (at as isize + by).rem_euclid(count as isize) as usize;
        match next.checked_sub(1) {
            None => self.focus = Focus::Features,
            Some(index) => self.go_to(index),
        }
    }

    /// The panel of this place gets the focus.
    pub(super) fn go_to(&mut self, index: usize) {
        if let Some(panel) = Panel::ALL.get(index) {
            (self.focus, self.panel, self.is_detail) = (Focus::Panel, *panel, false);
        }
    }

    pub(super) fn say(&mut self, text: String) {
        self.said = Some(Said { text, since: Instant::now(), is_warning: false });
    }

    pub(super) fn warn(&mut self, text: String) {
        self.said = Some(Said { text, since: Instant::now(), is_warning: true });
    }

    pub(super) fn said(&self) -> Option<&Said> {
        self.said.as_ref().filter(|s| s.since.elapsed() < SAID)
    }

    pub(super) fn hush(&mut self) {
        self.said = None;
    }
}
