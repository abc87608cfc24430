//! What is accepted of each kind of sink, and how a mistake is told.

use super::*;

fn sinks(text: &str) -> Result<Vec<SinkSettings>> {
    let source = Source::new("o.toml", text);
    let table = DeTable::parse(text).unwrap();
    read(&source, table.get_ref().get("sinks").cloned())
}

fn mistake(text: &str) -> String {
    sinks(text).unwrap_err().to_string()
}

#[test]
fn sinks_are_read_in_order_and_shown_without_secrets() {
    let text = r#"
        [[sinks]]
        name = "log"
        type = "log"
        [[sinks]]
        name = "page"
        type = "command"
        command = ["/bin/page", "--key", "s3cret"]
        timeout = "5s"
        [[sinks]]
        name = "jsonl"
        type = "file"
        path = "/var/log/overseer.jsonl"
    "#;
    let all = sinks(text).unwrap();
    let shown: Vec<_> = all.iter().map(|s| (s.name.as_str(), s.kind, s.to.as_str())).collect();
    assert_eq!(
        shown,
        [
            ("log", "log", "stderr"),
            ("page", "command", "/bin/page"),
            ("jsonl", "file", "/var/log/overseer.jsonl")
        ]
    );
    assert!(sinks("every = \"5s\"").unwrap().is_empty());
}

#[cfg(all(feature = "http", feature = "email"))]
#[test]
fn each_example_of_the_documentation_is_right() {
    let docs = include_str!("../../../../docs/sinks.md");
    let examples: Vec<&str> = docs
        .split("```toml\n")
        .skip(1)
        .map(|rest| rest.split("```").next().unwrap())
        .filter(|example| !example.contains("desktop"))
        .collect();
    assert!(examples.len() >= 6, "{}", examples.len());
    let mut kinds = BTreeSet::new();
    for example in examples {
        let all = sinks(example).unwrap_or_else(|e| panic!("{e}\n{example}"));
        kinds.extend(all.iter().map(|sink| sink.kind));
        let debug = format!("{all:?}");
        assert!(!debug.contains("T000"), "an address is a secret: {debug}");
    }
    assert_eq!(kinds.len(), TYPES.len() - 1);
}

#[test]
fn a_mistake_in_a_sink_is_told_at_its_line_with_what_would_be_right() {
    let first = "[[sinks]]\nname = \"a\"\n";
    for (rest, said) in [
        (
            "type = \"comand\"",
            "line 3, column 8: there is no type `comand`, did you mean `command`?",
        ),
        (
            "type = \"file\"\npth = \"x\"",
            "line 4, column 1: there is no key `pth`, did you mean `path`?",
        ),
        ("type = \"file\"", "line 1, column 1: the key `path` is missing"),
        ("type = \"file\"\npath = 5", "line 4, column 8: `path`: invalid type: integer `5`"),
        ("type = \"log\"\nto = 5", "there is no key `to`; there are name, type"),
        ("type = \"file\"\npath = \"\"", "line 4, column 1: `path`: names no file"),
        ("type = \"command\"\ncommand = \"rm\"", "`command`: write a list of a program"),
        ("type = \"command\"\ncommand = []", "line 4, column 1: `command`: names no program"),
        (
            "type = \"command\"\ncommand = [\"x\"]\ntimeout = \"2 weeks\"",
            "line 5, column 11: `timeout`: write a number and a unit",
        ),
        (
            "type = \"log\"\n[[sinks]]\nname = \"a\"\ntype = \"log\"",
            "line 5, column 8: `name`: there is another",
        ),
    ] {
        let e = mistake(&format!("{first}{rest}"));
        assert!(e.contains(said), "{e}\nand not\n{said}");
    }
    assert!(mistake("[sinks]\nname = \"a\"").contains("write `[[sinks]]`"));
    assert!(mistake("sinks = [1]").contains("write `[[sinks]]`"));
    assert!(mistake("[[sinks]]\nname = \"a b\"\ntype = \"log\"").contains("`name`: up to 64"));
}

#[cfg(feature = "http")]
#[test]
fn webhooks_are_checked_when_they_are_read() {
    let first = "[[sinks]]\nname = \"a\"\ntype = \"webhook\"\n";
    for (rest, said) in [
        ("", "line 1, column 1: `url`: one of url, url-file and url-env is missing"),
        ("url = \"hooks.example\"", "line 4, column 1: `url`: an address begins with http"),
        ("url = \"http://x\"\nurl-file = \"x\"", "line 5, column 1: `url-file`: only one of"),
        ("url = \"http://x\"\nurl-env = \"X\"", "line 5, column 1: `url-env`: only one of"),
        (
            "url = \"http://x\"\ntimeout = 5",
            "line 5, column 11: `timeout`: write a text of a number",
        ),
        (
            "url = \"http://x\"\nformat = \"slak\"",
            "line 5, column 10: `format`: there is no value `slak`, did you mean `slack`?",
        ),
        (
            "url = \"http://x\"\nheaders = { \"a b\" = \"x\" }",
            "line 5, column 1: `headers`: this cannot be",
        ),
        ("url = \"http://x\"\nsecret = \"x\"", "there is no key `secret`, did you mean `secret-"),
    ] {
        let e = mistake(&format!("{first}{rest}"));
        assert!(e.contains(said), "{e}\nand not\n{said}");
    }
}
