//! Mail.

use crate::message::TEST_ID;
use crate::secret::Secret;
use crate::text::{body, subject};
use lettre::address::Envelope;
use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::message::{Mailbox, MessageBuilder};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Tls, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use lettre::{Message, SmtpTransport, Transport};
use overseer_core::{Error, Notification, Result, Sink};
use std::collections::BTreeSet;
use std::time::{Duration, SystemTime};

/// Refusals that are about this sender and not about the message: of the password, or for want of one.
const ABOUT_THE_LOGIN: [u16; 5] = [530, 534, 535, 538, 454];

/// How the connection to a mail server is kept from others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum MailTls {
    /// TLS from the first byte on, usually port 465 (RFC 8314).
    #[default]
    Implicit,
    /// Plain at first, then TLS or nothing, usually port 587.
    StartTls,
    /// Plain, usually port 25: for a server on the same host. No password is sent.
    None,
}

impl MailTls {
    /// The port it usually has.
    #[must_use]
    pub const fn usual_port(self) -> u16 {
        match self {
            Self::Implicit => 465,
            Self::StartTls => 587,
            Self::None => 25,
        }
    }
}

/// How mail is sent.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct EmailOptions {
    /// The name of the mail server.
    pub server: String,
    /// Its port; by default the usual one.
    pub port: Option<u16>,
    /// How the connection is kept from others.
    pub tls: MailTls,
    /// Who sends: `overseer@example.org` or `Overseer <overseer@example.org>`.
    pub from: String,
    /// Who is told.
    pub to: Vec<String>,
    /// The name to log in with and where its password is, if the server wants that.
    pub login: Option<(String, Secret)>,
    /// How long the server may take for one answer.
    pub timeout: Duration,
}

impl EmailOptions {
    /// Mail through a server with TLS and without a login.
    pub fn new(server: impl Into<String>, from: impl Into<String>, to: Vec<String>) -> Self {
        Self {
            server: server.into(),
            port: None,
            tls: MailTls::default(),
            from: from.into(),
            to,
            login: None,
            timeout: Duration::from_secs(20),
        }
    }
}

/// Sends each notification as a mail of plain text, to each address by itself, so that none fails for another.
///
/// Mails of one incident are one thread. A message that comes twice has the same `Message-ID`, by which mail programs
/// show it once.
#[derive(Debug)]
pub struct EmailSink {
    name: String,
    server: String,
    from: Mailbox,
    to: Vec<Mailbox>,
    login: Option<(String, Secret)>,
    tls: MailTls,
    port: u16,
    timeout: Duration,
    /// Of the message that was tried last, which addresses need it no more.
    done: (i64, BTreeSet<usize>),
}

impl EmailSink {
    /// A sender of mail; nothing is sent yet.
    ///
    /// # Errors
    /// If an address is none, nobody is told, or a password would be sent in the clear.
    pub fn new(name: impl Into<String>, options: EmailOptions) -> Result<Self> {
        let mailbox = |key: &str, text: &str| {
            text.parse::<Mailbox>().map_err(|_| {
                Error::invalid_parameter(
                    key,
                    format!("`{text}` is no address such as me@example.org"),
                )
            })
        };
        if options.to.is_empty() {
            return Err(Error::invalid_parameter("to", "names nobody"));
        }
        if options.login.is_some() && options.tls == MailTls::None {
            let why = "a password is sent over TLS only: use `implicit` or `starttls`";
            return Err(Error::invalid_parameter("tls", why));
        }
        let plain = |c: char| c.is_ascii_alphanumeric() || ".-:[]".contains(c);
        if options.server.is_empty() || !options.server.chars().all(plain) {
            return Err(Error::invalid_parameter("server", "is no name or number of a host"));
        }
        Ok(Self {
            name: name.into(),
            from: mailbox("from", &options.from)?,
            to: options.to.iter().map(|text| mailbox("to", text)).collect::<Result<_>>()?,
            tls: options.tls,
            port: options.port.unwrap_or(options.tls.usual_port()),
            login: options.login,
            timeout: options.timeout,
            server: options.server,
            done: (TEST_ID, BTreeSet::new()),
        })
    }

    fn transport(&self, host: &str) -> Result<SmtpTransport> {
        // Here and not at the start, for it reads the certificates that the system trusts now.
        let parameters = || {
            TlsParameters::new(self.server.clone())
                .map_err(|e| Error::other("setting TLS up for mail", e))
        };
        let tls = match self.tls {
            MailTls::Implicit => Tls::Wrapper(parameters()?),
            MailTls::StartTls => Tls::Required(parameters()?),
            MailTls::None => Tls::None,
        };
        // `dangerous` is only the default without TLS, and that is always set here.
        let mut builder = SmtpTransport::builder_dangerous(&self.server)
            .port(self.port)
            .tls(tls)
            .timeout(Some(self.timeout))
            .hello_name(ClientId::Domain(domain(host)));
        if let Some((user, password)) = &self.login {
            builder = builder.credentials(Credentials::new(user.clone(), password.read()?));
        }
        Ok(builder.build())
    }

    fn message(&self, id: i64, n: &Notification, to: &Mailbox) -> Result<Message> {
        let at = SystemTime::UNIX_EPOCH
            + Duration::from_millis(u64::try_from(n.made_at.as_millis()).unwrap_or_default());
        let (host, incident) = (domain(&n.host), n.incident.as_millis());
        let thread = format!("<overseer-incident-{incident}@{host}>");
        let auto = HeaderName::new_from_ascii_str("Auto-Submitted");
        MessageBuilder::new()
            .from(self.from.clone())
            .to(to.clone())
            .subject(subject(id, n))
            .date(at.min(last_date()))
            .message_id(Some(format!(
                "<overseer-{incident}-{id}-{}@{host}>",
                n.made_at.as_millis()
            )))
            .in_reply_to(thread.clone())
            .references(thread)
            // No holiday notice answers it (RFC 3834).
            .raw_header(HeaderValue::new(auto, "auto-generated".to_owned()))
            .header(ContentType::TEXT_PLAIN)
            .body(body(id, n))
            .map_err(|e| Error::other("writing a mail", e))
    }
}

impl Sink for EmailSink {
    fn name(&self) -> &str {
        &self.name
    }

    fn deliver(&mut self, id: i64, notification: &Notification) -> Result<()> {
        if self.done.0 != id || id == TEST_ID {
            self.done = (id, BTreeSet::new());
        }
        let place = format!("mail server {}:{}", self.server, self.port);
        let transport = self.transport(&notification.host)?;
        let (mut later, mut refused) = (None, None);
        let mut arrived = self.done.1.len();
        for (index, to) in self.to.iter().enumerate() {
            if self.done.1.contains(&index) {
                continue;
            }
            let message = self.message(id, notification, to)?;
            let envelope = Envelope::new(Some(self.from.email.clone()), vec![to.email.clone()])
                .map_err(|e| Error::other("writing a mail", e))?;
            match transport.send_raw(&envelope, &message.formatted()) {
                Ok(_) => {
                    self.done.1.insert(index);
                    arrived += 1;
                }
                Err(e) => {
                    let code = e.status().map(u16::from);
                    let for_good = e.is_permanent()
                        && !code.is_some_and(|code| ABOUT_THE_LOGIN.contains(&code));
                    let said = crate::message::one_line(&reason(&e), 300);
                    let why = format!("{}: {said}", to.email);
                    if for_good {
                        tracing::warn!(sink = self.name, "{place} refused {why}");
                        refused.get_or_insert(why);
                    } else {
                        later = Some(why);
                    }
                }
            }
        }
        match (later, refused) {
            (Some(why), _) => Err(Error::unavailable(place, why)),
            (None, Some(why)) if arrived == 0 => Err(Error::invalid_value(place, why)),
            _ => Ok(()),
        }
    }
}

/// An error with its causes, which alone say what was wrong.
fn reason(error: &(dyn std::error::Error + 'static)) -> String {
    use std::io::ErrorKind::{TimedOut, WouldBlock};
    let is_late = |e: &(dyn std::error::Error + 'static)| {
        let io = e.downcast_ref::<std::io::Error>();
        io.is_some_and(|e| [TimedOut, WouldBlock].contains(&e.kind()))
    };
    if std::iter::successors(Some(error), |e| e.source()).any(is_late) {
        // The system's words are about a socket.
        return "there was no answer in time".to_owned();
    }
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(e) = cause {
        let more = e.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        cause = e.source();
    }
    text
}

/// A host's name as the part of an address behind the `@`.
fn domain(host: &str) -> String {
    let plain: String =
        host.chars().filter(|c| c.is_ascii_alphanumeric() || ".-".contains(*c)).take(200).collect();
    let plain = plain.trim_matches(['.', '-']).to_owned();
    if plain.is_empty() { "localhost".to_owned() } else { plain }
}

/// The last date that mail can have.
fn last_date() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(253_402_300_799)
}
