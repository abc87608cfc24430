//! A line of JSON at the end of a file.

use crate::message::json;
use overseer_core::{Error, Notification, Result, Sink};
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// Appends each notification to a file as JSON Lines.
///
/// The file is made where there is none, readable by its owner only; one that is there keeps its permissions. When it
/// was renamed or removed, as log rotation does, the next line goes to a new one. A line that was torn by a full disk
/// is ended before the next begins.
#[derive(Debug)]
pub struct FileSink {
    name: String,
    path: PathBuf,
    open: Option<File>,
}

impl FileSink {
    /// A sink that appends to `path`; nothing is opened yet.
    pub fn new(name: impl Into<String>, path: impl AsRef<Path>) -> Self {
        Self { name: name.into(), path: path.as_ref().to_owned(), open: None }
    }

    fn append(&mut self, line: &[u8]) -> io::Result<()> {
        if self.open.as_ref().is_some_and(|file| !is_still(file, &self.path)) {
            self.open = None;
        }
        let file = match &mut self.open {
            Some(file) => file,
            None => self.open.insert(open(&self.path)?),
        };
        let mut whole = Vec::with_capacity(line.len() + 2);
        if !ends_a_line(file)? {
            whole.push(b'\n');
        }
        whole.extend_from_slice(line);
        whole.push(b'\n');
        file.write_all(&whole)?;
        // A device has nothing to sync, and says so.
        if file.metadata()?.is_file() { file.sync_data() } else { Ok(()) }
    }
}

impl Sink for FileSink {
    fn name(&self) -> &str {
        &self.name
    }

    fn deliver(&mut self, id: i64, notification: &Notification) -> Result<()> {
        let line = json(id, notification)?;
        self.append(line.as_bytes()).map_err(|e| {
            self.open = None;
            Error::unavailable(self.path.display().to_string(), e.to_string())
        })
    }
}

fn open(path: &Path) -> io::Result<File> {
    // To open a pipe that nobody reads waits for ever.
    if let Ok(there) = std::fs::metadata(path) {
        use_of(&there)?;
    }
    let mut options = OpenOptions::new();
    // Read too, to see how it ends.
    options.create(true).append(true).read(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    let file = options.open(path)?;
    use_of(&file.metadata()?)?;
    Ok(file)
}

fn use_of(there: &std::fs::Metadata) -> io::Result<()> {
    #[cfg(unix)]
    let device = std::os::unix::fs::FileTypeExt::is_char_device(&there.file_type());
    #[cfg(not(unix))]
    let device = false;
    if there.is_file() || device {
        return Ok(());
    }
    Err(io::Error::other("it is neither a file nor a device"))
}

/// Whether `path` still names the file that is open.
fn is_still(file: &File, path: &Path) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        let there = std::fs::metadata(path).map(|m| (m.dev(), m.ino()));
        let here = file.metadata().map(|m| (m.dev(), m.ino()));
        matches!((there, here), (Ok(there), Ok(here)) if there == here)
    }
    #[cfg(not(unix))]
    {
        let _ = file;
        path.exists()
    }
}

fn ends_a_line(file: &mut File) -> io::Result<bool> {
    if !file.metadata()?.is_file() || file.metadata()?.len() == 0 {
        return Ok(true);
    }
    let mut last = [0];
    file.seek(SeekFrom::End(-1))?;
    file.read_exact(&mut last)?;
    Ok(last == *b"\n")
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;
    use crate::test_notification;
    use overseer_core::Timestamp;
    use std::os::unix::fs::PermissionsExt;

    fn ids(path: &Path) -> Vec<i64> {
        let text = std::fs::read_to_string(path).unwrap();
        text.lines()
            .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()["id"].as_i64())
            .map(Option::unwrap)
            .collect()
    }

    #[test]
    fn lines_are_appended_for_the_owner_only_and_follow_a_rotation() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("alerts.jsonl");
        let told = test_notification("web-1", Timestamp::from_millis(0));
        let mut sink = FileSink::new("file", &path);
        sink.deliver(1, &told).unwrap();
        sink.deliver(2, &told).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let old = dir.path().join("alerts.jsonl.1");
        std::fs::rename(&path, &old).unwrap();
        sink.deliver(3, &told).unwrap();
        std::fs::remove_file(&path).unwrap();
        sink.deliver(4, &told).unwrap();
        assert_eq!((ids(&old), ids(&path)), (vec![1, 2], vec![4]));
    }

    #[test]
    fn a_torn_line_does_not_spoil_the_next() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("alerts.jsonl");
        std::fs::write(&path, "{\"id\":1,\"test\":fal").unwrap();
        let told = test_notification("web-1", Timestamp::from_millis(0));
        FileSink::new("file", &path).deliver(2, &told).unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 2);
        assert!(serde_json::from_str::<serde_json::Value>(lines[1]).is_ok());
    }

    #[test]
    fn what_cannot_be_written_is_said_with_its_place_and_tried_again() {
        let told = test_notification("web-1", Timestamp::from_millis(0));
        let dir = tempfile::tempdir().unwrap();
        let pipe = dir.path().join("pipe");
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        let missing = dir.path().join("none").join("alerts.jsonl");
        for path in [dir.path(), &pipe, &missing, Path::new("/dev/full")] {
            if path == Path::new("/dev/full") && !path.exists() {
                continue;
            }
            let e = FileSink::new("file", path).deliver(1, &told).unwrap_err();
            assert!(e.is_unavailable() && e.to_string().contains(path.to_str().unwrap()), "{e}");
        }
        let mut sink = FileSink::new("file", &missing);
        sink.deliver(1, &told).unwrap_err();
        std::fs::create_dir(missing.parent().unwrap()).unwrap();
        sink.deliver(1, &told).unwrap();
        assert_eq!(ids(&missing), [1]);
    }
}
