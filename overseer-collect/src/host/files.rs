//! Reading the kernel's small text files beneath a root that tests can replace.
//!
//! Nothing here trusts what it reads: a file is read up to a limit, bytes that are not UTF-8 are replaced, and every
//! failure becomes the reason why a value is missing.

use std::borrow::Cow;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

/// Why a value is missing, as a person reads it.
pub(super) type Reason = Cow<'static, str>;

/// A value, or why there is none.
pub(super) type Value = std::result::Result<f64, Reason>;

/// Larger than any of the kernel's files read here on any host; more is a broken file.
pub(super) const FILE_LIMIT: usize = 8 << 20;

/// The files beneath a root, and one buffer that all reads share.
#[derive(Debug)]
pub(super) struct Files {
    root: PathBuf,
    buffer: Vec<u8>,
}

impl Files {
    pub(super) fn new(root: PathBuf) -> Self {
        Self { root, buffer: Vec::new() }
    }

    /// Whether this is the running host, so that asking the system itself gives the same host's values.
    pub(super) fn is_native(&self) -> bool {
        self.root == Path::new("/")
    }

    /// The path beneath the root of what is called `/relative` on the host.
    pub(super) fn path(&self, relative: &str) -> PathBuf {
        self.root.join(relative)
    }

    /// The whole text of a file of at most [`FILE_LIMIT`] bytes.
    pub(super) fn text(&mut self, path: &Path) -> Result<Cow<'_, str>, Reason> {
        self.read(path, FILE_LIMIT + 1)?;
        if self.buffer.len() > FILE_LIMIT {
            return Err(format!("{} is too large to be what it should be", path.display()).into());
        }
        Ok(String::from_utf8_lossy(&self.buffer))
    }

    /// The first `limit` bytes of a file as text, for files whose first lines say it all.
    pub(super) fn head(&mut self, path: &Path, limit: usize) -> Result<Cow<'_, str>, Reason> {
        self.read(path, limit)?;
        Ok(String::from_utf8_lossy(&self.buffer))
    }

    fn read(&mut self, path: &Path, limit: usize) -> Result<(), Reason> {
        self.buffer.clear();
        // A larger buffer than one broken file needed is not kept for the rest of the process's life.
        self.buffer.shrink_to(1 << 20);
        File::open(path)
            .and_then(|file| file.take(limit as u64).read_to_end(&mut self.buffer))
            .map(|_| ())
            .map_err(|e| format!("{}: {e}", path.display()).into())
    }
}

/// The lines that end in a newline.
///
/// The kernel ends every line; a last line without an end was cut off, and a cut-off counter is a wrong one.
pub(super) fn whole_lines(text: &str) -> impl Iterator<Item = &str> {
    text.split_inclusive('\n').filter_map(|line| line.strip_suffix('\n'))
}

/// The reason for a file that can be read but makes no sense.
pub(super) fn garbled(path: &Path) -> Reason {
    format!("{} is not in the expected form", path.display()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_was_cut_off_does_not_count() {
        assert_eq!(whole_lines("a 1\nb 2\nc 3").collect::<Vec<_>>(), ["a 1", "b 2"]);
        assert_eq!(whole_lines("").count(), 0);
    }

    #[test]
    fn a_file_too_large_or_absent_or_a_directory_is_a_reason_not_a_panic() {
        let dir = tempfile::tempdir().unwrap();
        let mut files = Files::new(dir.path().to_owned());
        let big = files.path("big");
        std::fs::write(&big, vec![b'x'; FILE_LIMIT + 5]).unwrap();
        assert!(files.text(&big).unwrap_err().contains("too large"));
        assert_eq!(files.head(&big, 3).unwrap(), "xxx");
        assert!(files.text(&dir.path().join("absent")).is_err());
        assert!(files.text(dir.path()).is_err());
        assert!(!files.is_native());
    }
}
