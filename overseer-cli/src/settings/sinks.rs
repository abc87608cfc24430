//! Who is told of incidents, as the configuration file says it: `[[sinks]]`, each with a `name` and a `type`.

use super::mistakes::{Source, unknown_word};
use crate::args::span;
use overseer_engine::core::{Error, Result, Sink, Span};
use overseer_notify::{CommandSink, FileSink, LogSink, Stop};
use serde::{Deserialize, Deserializer};
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// One who is told, checked when it was read.
#[derive(Debug, Clone)]
pub(crate) struct SinkSettings {
    pub(crate) name: String,
    /// The word of its type.
    pub(crate) kind: &'static str,
    /// Where it tells, for a person and without secrets.
    pub(crate) to: String,
    how: How,
}

#[derive(Debug, Clone)]
enum How {
    Log,
    File(PathBuf),
    Command {
        command: Vec<String>,
        timeout: Option<Duration>,
    },
    #[cfg(feature = "http")]
    Webhook(overseer_notify::WebhookOptions),
    #[cfg(feature = "http")]
    Alertmanager(overseer_notify::AlertmanagerOptions),
    #[cfg(feature = "desktop")]
    Desktop,
    #[cfg(feature = "email")]
    Email(overseer_notify::EmailOptions),
}

impl SinkSettings {
    /// The sink, which ends what it does upon the word to stop where it can.
    pub(crate) fn build(&self, stop: &Stop) -> Result<Box<dyn Sink>> {
        let name = self.name.as_str();
        Ok(match &self.how {
            How::Log => Box::new(LogSink::stderr(name)),
            How::File(path) => Box::new(FileSink::new(name, path)),
            How::Command { command, timeout } => {
                let mut sink = CommandSink::new(name, command)?.stop(stop.clone());
                if let Some(timeout) = timeout {
                    sink = sink.timeout(*timeout);
                }
                Box::new(sink)
            }
            #[cfg(feature = "http")]
            How::Webhook(options) => {
                Box::new(overseer_notify::WebhookSink::new(name, options.clone())?)
            }
            #[cfg(feature = "http")]
            How::Alertmanager(options) => {
                Box::new(overseer_notify::AlertmanagerSink::new(name, options.clone())?)
            }
            #[cfg(feature = "desktop")]
            How::Desktop => Box::new(overseer_notify::DesktopSink::new(name)),
            #[cfg(feature = "email")]
            How::Email(options) => {
                Box::new(overseer_notify::EmailSink::new(name, options.clone())?)
            }
        })
    }
}

/// The words of the types.
const TYPES: [&str; 7] = ["log", "file", "command", "webhook", "alertmanager", "email", "desktop"];

/// What every sink says of itself, whatever else there is.
#[derive(Deserialize)]
struct Common {
    name: Spanned<String>,
    #[serde(rename = "type")]
    kind: Spanned<String>,
}

/// Reads `[[sinks]]`.
pub(super) fn read<'a>(
    source: &Source<'a>,
    sinks: Option<Spanned<DeValue<'a>>>,
) -> Result<Vec<SinkSettings>> {
    let Some(sinks) = sinks else { return Ok(Vec::new()) };
    let place = sinks.span();
    let DeValue::Array(items) = sinks.into_inner() else {
        return Err(source.wrong(place, "`sinks`: write `[[sinks]]` above each of them"));
    };
    let mut names = BTreeSet::new();
    let mut read = Vec::new();
    for item in items {
        let place = item.span();
        let DeValue::Table(table) = item.into_inner() else {
            return Err(source.wrong(place, "`sinks`: write `[[sinks]]` above each of them"));
        };
        let mut table = Spanned::new(place, table);
        let common: Common = source.value(table.clone())?;
        let name = common.name.get_ref().clone();
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        if name.is_empty() || name.len() > 64 || !name.chars().all(plain) {
            let why = "`name`: up to 64 letters, digits, `-`, `_` and `.`";
            return Err(source.wrong(common.name.span(), why));
        }
        if !names.insert(name.clone()) {
            let why = format!("`name`: there is another sink `{name}`");
            return Err(source.wrong(common.name.span(), &why));
        }
        let kind = common.kind.get_ref();
        let Some(&kind) = TYPES.iter().find(|word| *word == kind) else {
            let why = unknown_word("type", kind, &TYPES);
            return Err(source.wrong(common.kind.span(), &why));
        };
        table.get_mut().remove("type");
        table.get_mut().remove("name");
        let beside = source.beside(&["name", "type"]);
        let (how, to) = how(&beside, kind, &table, common.kind.span())?;
        let sink = SinkSettings { name, kind, to, how };
        // Built once to be checked; what it says of a key is told at that key.
        sink.build(&Stop::new()).map_err(|e| source.about(&e, &table))?;
        read.push(sink);
    }
    Ok(read)
}

fn how<'a>(
    source: &Source<'a>,
    kind: &str,
    table: &Spanned<DeTable<'a>>,
    place: std::ops::Range<usize>,
) -> Result<(How, String)> {
    let about = |e: Error| source.about(&e, table);
    let table = table.clone();
    match kind {
        "log" => {
            let Nothing {} = source.value(table)?;
            Ok((How::Log, "stderr".to_owned()))
        }
        "file" => {
            let file: File = source.value(table)?;
            if file.path.as_os_str().is_empty() {
                return Err(about(Error::invalid_parameter("path", "names no file")));
            }
            let to = file.path.display().to_string();
            Ok((How::File(file.path), to))
        }
        "command" => {
            let Command { command, timeout } = source.value(table)?;
            // Arguments may hold what others need not see.
            let to = command.first().cloned().unwrap_or_default();
            Ok((How::Command { command, timeout: timeout.map(Length::duration) }, to))
        }
        #[cfg(feature = "http")]
        "webhook" => {
            let webhook: http::Webhook = source.value(table)?;
            webhook.options().map(|(options, to)| (How::Webhook(options), to)).map_err(about)
        }
        #[cfg(feature = "http")]
        "alertmanager" => {
            let manager: http::Alertmanager = source.value(table)?;
            manager.options().map(|(options, to)| (How::Alertmanager(options), to)).map_err(about)
        }
        #[cfg(feature = "email")]
        "email" => {
            let email: email::Email = source.value(table)?;
            let to = email.to.join(", ");
            email.options().map(|options| (How::Email(options), to)).map_err(about)
        }
        #[cfg(feature = "desktop")]
        "desktop" => {
            let Nothing {} = source.value(table)?;
            Ok((How::Desktop, "this session's desktop".to_owned()))
        }
        other => {
            let feature = if ["email", "desktop"].contains(&other) { other } else { "http" };
            let _ = about;
            let why =
                format!("`type`: this overseer was built without `{other}` (feature `{feature}`)");
            Err(source.wrong(place, &why))
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Nothing {}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct File {
    path: PathBuf,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Command {
    command: Vec<String>,
    timeout: Option<Length>,
}

/// A length of time as people write it, up to an hour where somebody waits for it.
#[derive(Debug, Clone, Copy)]
struct Length(Span);

impl Length {
    fn duration(self) -> Duration {
        Duration::from(self.0)
    }
}

impl<'de> Deserialize<'de> for Length {
    fn deserialize<D: Deserializer<'de>>(from: D) -> std::result::Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        let length = span(&text).map_err(serde::de::Error::custom)?;
        if length > Span::from_secs(3600) {
            return Err(serde::de::Error::custom("must not be longer than 1h"));
        }
        Ok(Self(length))
    }
}

#[cfg(any(feature = "http", feature = "email"))]
mod secrets {
    use super::{Error, PathBuf, Result};
    use overseer_notify::Secret;

    /// A secret from where it is kept; none if nowhere is said.
    pub(super) fn of(
        key: &str,
        value: Option<String>,
        file: Option<PathBuf>,
        variable: Option<String>,
    ) -> Result<Option<Secret>> {
        let (file, variable) = (file.map(Secret::File), variable.map(Secret::Env));
        let places = [("", value.map(Secret::Value)), ("-file", file), ("-env", variable)];
        let mut given = places.into_iter().filter_map(|(end, secret)| Some((end, secret?)));
        let first = given.next();
        if let Some((end, _)) = given.next() {
            let why = format!("only one of {key}, {key}-file and {key}-env can be");
            return Err(Error::invalid_parameter(format!("{key}{end}"), why));
        }
        Ok(first.map(|(_, secret)| secret))
    }
}

#[cfg(feature = "http")]
mod http {
    use super::{Error, Length, PathBuf, Result, secrets};
    use overseer_engine::host;
    use overseer_notify::{AlertmanagerOptions, BodyFormat, HttpOptions, Secret, WebhookOptions};
    use serde::Deserialize;
    use std::collections::BTreeMap;
    use std::sync::Arc;

    #[derive(Deserialize)]
    #[serde(deny_unknown_fields, rename_all = "kebab-case")]
    pub(super) struct Webhook {
        url: Option<String>,
        url_file: Option<PathBuf>,
        url_env: Option<String>,
        #[serde(default)]
        headers: BTreeMap<String, String>,
        token_file: Option<PathBuf>,
        token_env: Option<String>,
        timeout: Option<Length>,
        secret_file: Option<PathBuf>,
        secret_env: Option<String>,
        #[serde(default)]
        format: Format,
    }

    #[derive(Deserialize, Default)]
    #[serde(rename_all = "kebab-case")]
    enum Format {
        #[default]
        Generic,
        Slack,
    }

    #[derive(Deserialize)]
    #[serde(deny_unknown_fields, rename_all = "kebab-case")]
    pub(super) struct Alertmanager {
        url: Option<String>,
        url_file: Option<PathBuf>,
        url_env: Option<String>,
        #[serde(default)]
        headers: BTreeMap<String, String>,
        token_file: Option<PathBuf>,
        token_env: Option<String>,
        timeout: Option<Length>,
        #[serde(default)]
        labels: BTreeMap<String, String>,
        resend_every: Option<Length>,
    }

    fn options(
        url: Option<Secret>,
        headers: BTreeMap<String, String>,
        token: Option<Secret>,
        timeout: Option<Length>,
    ) -> Result<(HttpOptions, String)> {
        let url = url.ok_or_else(|| {
            Error::invalid_parameter("url", "one of url, url-file and url-env is missing")
        })?;
        let to = match &url {
            Secret::Value(url) => shown(url),
            Secret::File(path) => format!("the address in {}", path.display()),
            Secret::Env(name) => format!("the address in the environment variable {name}"),
            _ => String::new(),
        };
        let mut http = HttpOptions::new(url, Arc::new(host::now));
        http.headers = headers.into_iter().collect();
        http.token = token;
        http.timeout = timeout.map_or(http.timeout, Length::duration);
        Ok((http, to))
    }

    /// An address without its path, which may be a secret.
    fn shown(url: &str) -> String {
        let host = url.find("://").map_or(0, |at| at + 3);
        let end = url[host..].find(['/', '?', '#']).map_or(url.len(), |at| host + at);
        url[..end].to_owned()
    }

    impl Webhook {
        pub(super) fn options(self) -> Result<(WebhookOptions, String)> {
            let url = secrets::of("url", self.url, self.url_file, self.url_env)?;
            let token = secrets::of("token", None, self.token_file, self.token_env)?;
            let (http, to) = options(url, self.headers, token, self.timeout)?;
            let mut options = WebhookOptions::new(http);
            options.secret = secrets::of("secret", None, self.secret_file, self.secret_env)?;
            options.format = match self.format {
                Format::Generic => BodyFormat::Generic,
                Format::Slack => BodyFormat::Slack,
            };
            Ok((options, to))
        }
    }

    impl Alertmanager {
        pub(super) fn options(self) -> Result<(AlertmanagerOptions, String)> {
            let url = secrets::of("url", self.url, self.url_file, self.url_env)?;
            let token = secrets::of("token", None, self.token_file, self.token_env)?;
            let (http, to) = options(url, self.headers, token, self.timeout)?;
            let mut options = AlertmanagerOptions::new(http);
            options.labels = self.labels.into_iter().collect();
            options.resend_every = self.resend_every.map_or(options.resend_every, |every| every.0);
            Ok((options, to))
        }
    }
}

#[cfg(feature = "email")]
mod email {
    use super::{Error, Length, PathBuf, Result, secrets};
    use overseer_notify::{EmailOptions, MailTls};
    use serde::Deserialize;

    #[derive(Deserialize)]
    #[serde(deny_unknown_fields, rename_all = "kebab-case")]
    pub(super) struct Email {
        server: String,
        port: Option<u16>,
        #[serde(default)]
        tls: Tls,
        from: String,
        pub(super) to: Vec<String>,
        user: Option<String>,
        password_file: Option<PathBuf>,
        password_env: Option<String>,
        timeout: Option<Length>,
    }

    #[derive(Deserialize, Default)]
    #[serde(rename_all = "kebab-case")]
    enum Tls {
        #[default]
        Implicit,
        Starttls,
        None,
    }

    impl Email {
        pub(super) fn options(self) -> Result<EmailOptions> {
            let password = secrets::of("password", None, self.password_file, self.password_env)?;
            let mut options = EmailOptions::new(self.server, self.from, self.to);
            options.port = self.port;
            options.tls = match self.tls {
                Tls::Implicit => MailTls::Implicit,
                Tls::Starttls => MailTls::StartTls,
                Tls::None => MailTls::None,
            };
            options.login = match (self.user, password) {
                (Some(user), Some(password)) => Some((user, password)),
                (None, None) => None,
                (Some(_), None) => {
                    let why = "its password-file or password-env is missing";
                    return Err(Error::invalid_parameter("user", why));
                }
                (None, Some(_)) => {
                    let why = "a password is for a user, which is missing";
                    return Err(Error::invalid_parameter("password-file", why));
                }
            };
            options.timeout = self.timeout.map_or(options.timeout, Length::duration);
            Ok(options)
        }
    }
}

#[cfg(test)]
#[path = "sinks/tests.rs"]
mod tests;
