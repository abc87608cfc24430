//! Mail against a small SMTP server.

use crate::notification;
use overseer_core::{Result, Sink};
use overseer_notify::{EmailOptions, EmailSink, MailTls, Secret};
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::thread;

/// Takes mail, refuses `refused@…` for good and `later@…` the first time, and keeps what was said to it.
fn server() -> (u16, Arc<Mutex<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let heard = Arc::new(Mutex::new(String::new()));
    let all = Arc::clone(&heard);
    thread::spawn(move || {
        let mut is_later = true;
        for stream in listener.incoming().map_while(Result::ok) {
            let mut out = stream.try_clone().unwrap();
            let mut say = |text: &str| write!(out, "{text}\r\n").unwrap();
            say("220 mail.example");
            let mut in_data = false;
            for line in BufReader::new(stream).lines().map_while(Result::ok) {
                all.lock().unwrap().push_str(&format!("{line}\n"));
                match line.get(..4).unwrap_or_default() {
                    _ if in_data => {
                        if line == "." {
                            in_data = false;
                            say("250 kept");
                        }
                    }
                    "EHLO" => say("250 mail.example"),
                    "RCPT" if line.contains("refused@") => say("550 no such mailbox"),
                    "RCPT" if line.contains("later@") && is_later => {
                        is_later = false;
                        say("451 come back later");
                    }
                    "DATA" => {
                        in_data = true;
                        say("354 go on");
                    }
                    "QUIT" => {
                        say("221 bye");
                        break;
                    }
                    _ => say("250 ok"),
                }
            }
        }
    });
    (port, heard)
}

fn sink(port: u16, to: &[&str]) -> EmailSink {
    let to = to.iter().map(|&text| text.to_owned()).collect();
    let mut options = EmailOptions::new("127.0.0.1", "Overseer <overseer@example.org>", to);
    (options.port, options.tls) = (Some(port), MailTls::None);
    EmailSink::new("mail", options).unwrap()
}

#[test]
fn a_mail_is_plain_text_with_a_subject_that_says_it_and_a_thread_for_the_incident() {
    let (port, heard) = server();
    let mut told = notification(1_764_126_725);
    told.description = "CPU far above usual\r\nBcc: everybody@example.org".to_owned();
    sink(port, &["Night <night@example.org>"]).deliver(7, &told).unwrap();
    let mail = heard.lock().unwrap().clone();
    for line in [
        "MAIL FROM:<overseer@example.org>",
        "RCPT TO:<night@example.org>",
        "From: Overseer <overseer@example.org>",
        "To: Night <night@example.org>",
        "Date: Wed, 26 Nov 2025 03:12:05 +0000",
        "Message-ID: <overseer-1764126725000-7-1764126725000@web-1>",
        "References: <overseer-incident-1764126725000@web-1>",
        "Auto-Submitted: auto-generated",
        "Host      web-1",
        "Severity  high",
    ] {
        assert!(mail.lines().any(|l| l.trim_end() == line), "{line}\n{mail}");
    }
    assert!(mail.contains("Subject: [high] web-1: CPU far above usual Bcc:"), "{mail}");
    assert!(!mail.lines().any(|l| l.starts_with("Bcc")), "{mail}");
    assert!(mail.contains("Content-Type: text/plain"), "{mail}");
}

#[test]
fn one_mailbox_that_fails_costs_no_other_its_mail() {
    let (port, heard) = server();
    let mut sink = sink(port, &["refused@example.org", "later@example.org", "day@example.org"]);
    let e = sink.deliver(7, &notification(5)).unwrap_err();
    assert!(e.is_unavailable() && e.to_string().contains("later@example.org: "), "{e}");
    assert!(e.to_string().contains("come back later"), "{e}");
    sink.deliver(7, &notification(5)).unwrap();
    let mail = heard.lock().unwrap().clone();
    let sent = |to: &str| mail.lines().filter(|l| l.trim_end() == format!("To: {to}")).count();
    assert_eq!((sent("later@example.org"), sent("day@example.org")), (1, 1));
}

#[test]
fn refused_by_all_is_final_and_a_server_that_is_not_there_is_not() {
    let (port, _) = server();
    let e = sink(port, &["refused@example.org"]).deliver(7, &notification(5)).unwrap_err();
    assert!(e.is_invalid_input() && e.to_string().contains("no such mailbox"), "{e}");
    let e = sink(1, &["day@example.org"]).deliver(7, &notification(5)).unwrap_err();
    assert!(e.is_unavailable() && e.to_string().contains("mail server 127.0.0.1:1"), "{e}");
    // One that takes the connection and says nothing.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let to = vec!["day@example.org".to_owned()];
    let mut options = EmailOptions::new("127.0.0.1", "overseer@example.org", to);
    options.port = Some(silent.local_addr().unwrap().port());
    options.tls = MailTls::None;
    options.timeout = std::time::Duration::from_millis(200);
    let e = EmailSink::new("mail", options).unwrap().deliver(7, &notification(5)).unwrap_err();
    assert!(e.is_unavailable() && e.to_string().contains("there was no answer in time"), "{e}");
}

#[test]
fn no_password_is_sent_in_the_clear_and_addresses_are_checked() {
    let with = |change: &dyn Fn(&mut EmailOptions)| {
        let to = vec!["day@example.org".to_owned()];
        let mut options = EmailOptions::new("mail.example", "overseer@example.org", to);
        change(&mut options);
        EmailSink::new("mail", options)
    };
    with(&|_| ()).unwrap();
    let login = Some(("me".to_owned(), Secret::Value("pw".to_owned())));
    let clear = with(&|o| (o.tls, o.login) = (MailTls::None, login.clone())).unwrap_err();
    assert!(clear.to_string().contains("over TLS only"), "{clear}");
    for wrong in ["", "nobody", "a@b\r\nBcc: c@d"] {
        assert!(with(&|o| o.from = wrong.to_owned()).unwrap_err().is_invalid_input(), "{wrong}");
    }
    assert!(with(&|o| o.to.clear()).unwrap_err().is_invalid_input());
}
