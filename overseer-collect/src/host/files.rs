//! Reading the kernel's small text files beneath a root that tests can replace.
//!
//! A file of the kernel is opened once and read again from its start each time, which costs a third of opening it
//! anew. Any other file is opened each time, for it can be replaced while it is open. Nothing here trusts what it
//! reads: a file is read up to a limit, and every failure becomes the reason why a value is missing.

use std::borrow::Cow;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

/// Why a value is missing, as a person reads it.
pub(super) type Reason = Cow<'static, str>;

/// A value, or why there is none.
pub(super) type Value = std::result::Result<f64, Reason>;

/// Larger than any of the kernel's files read here on any host; more is a broken file.
pub(super) const FILE_LIMIT: usize = 8 << 20;
/// What one read asks for: more than any file whose head alone is read needs.
const CHUNK: usize = 8 << 10;
/// Whether this platform has the kernel's files. The feature `unknown-ci` stands for one about which nothing is known.
pub(super) const HAS_KERNEL_FILES: bool =
    cfg!(any(target_os = "linux", target_os = "android")) && !cfg!(feature = "unknown-ci");

/// A file that is read again and again.
#[derive(Debug)]
pub(super) struct Source {
    path: PathBuf,
    kept: Option<File>,
}

impl Source {
    pub(super) fn new(path: PathBuf) -> Self {
        Self { path, kept: None }
    }

    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The reason for a file that can be read but makes no sense.
    pub(super) fn garbled(&self) -> Reason {
        format!("{} is not in the expected form", self.path.display()).into()
    }
}

/// The files beneath a root, and one buffer that all reads share.
#[derive(Debug)]
pub(super) struct Files {
    root: PathBuf,
    buffer: Vec<u8>,
}

impl Files {
    pub(super) fn new(root: PathBuf) -> Self {
        Self { root, buffer: vec![0; CHUNK] }
    }

    /// Whether this is the running host, so that asking the system itself gives the same host's values.
    pub(super) fn is_native(&self) -> bool {
        self.root == Path::new("/")
    }

    /// The path beneath the root of what is called `/relative` on the host.
    pub(super) fn path(&self, relative: &str) -> PathBuf {
        self.root.join(relative)
    }

    /// A file beneath the root.
    pub(super) fn source(&self, relative: &str) -> Source {
        Source::new(self.path(relative))
    }

    /// The whole of a file of at most [`FILE_LIMIT`] bytes.
    pub(super) fn whole(&mut self, source: &mut Source) -> Result<&[u8], Reason> {
        let length = self.read(source, FILE_LIMIT + 1)?;
        if length > FILE_LIMIT {
            let path = source.path.display();
            return Err(format!("{path} is too large to be what it should be").into());
        }
        Ok(&self.buffer[..length])
    }

    /// What one read from the start gives, at most 8 KiB: all of a file that the kernel writes in one piece, as it
    /// does those of one record, and the beginning of others.
    pub(super) fn head(&mut self, source: &mut Source) -> Result<&[u8], Reason> {
        let length = self.read(source, CHUNK)?;
        Ok(&self.buffer[..length])
    }

    /// The beginning of a process's file, opened for this once; its path is put together in `path`.
    #[cfg(any(target_os = "linux", target_os = "android"))]
    pub(super) fn once(&mut self, path: &mut String, pid: u32, file: &str) -> io::Result<&[u8]> {
        use std::fmt::Write;
        path.clear();
        // Writing to a string does not fail.
        let _ = write!(path, "/proc/{pid}/{file}");
        let length = fill(&File::open(&*path)?, &mut self.buffer, CHUNK)?;
        Ok(&self.buffer[..length])
    }

    /// The target of a symbolic link, which need not exist.
    pub(super) fn link(&self, relative: &str) -> Option<PathBuf> {
        if self.is_native() && !HAS_KERNEL_FILES {
            return None;
        }
        std::fs::read_link(self.path(relative)).ok()
    }

    fn read(&mut self, source: &mut Source, limit: usize) -> Result<usize, Reason> {
        if self.is_native() && !HAS_KERNEL_FILES {
            return Err("this platform has no such file".into());
        }
        // A larger buffer than one broken file needed is not kept for the rest of the process's life.
        if self.buffer.len() > 1 << 20 {
            self.buffer.truncate(CHUNK);
            self.buffer.shrink_to_fit();
        }
        let said = |e: io::Error, path: &Path| Reason::from(format!("{}: {e}", path.display()));
        if let Some(file) = &source.kept {
            match fill(file, &mut self.buffer, limit) {
                Ok(length) => return Ok(length),
                // A device that came back has new files; the open one is the old device's.
                Err(_) => source.kept = None,
            }
        }
        let file = File::open(&source.path).map_err(|e| said(e, &source.path))?;
        let length = fill(&file, &mut self.buffer, limit).map_err(|e| said(e, &source.path))?;
        if is_kernels(&file) {
            source.kept = Some(file);
        }
        Ok(length)
    }
}

/// Reads from the start, up to `limit` bytes, and says how many there were.
fn fill(file: &File, buffer: &mut Vec<u8>, limit: usize) -> io::Result<usize> {
    let mut length = 0;
    loop {
        if length == buffer.len() {
            buffer.resize((2 * length).min(limit), 0);
        }
        let end = buffer.len().min(limit);
        match read_at(file, &mut buffer[length..end], length as u64) {
            Ok(0) => return Ok(length),
            Ok(n) => length += n,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
        // One read is enough where the head is all that is wanted.
        if length >= limit || limit <= CHUNK {
            return Ok(length);
        }
    }
}

#[cfg(unix)]
fn read_at(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    std::os::unix::fs::FileExt::read_at(file, buffer, offset)
}

#[cfg(not(unix))]
fn read_at(mut file: &File, buffer: &mut [u8], _offset: u64) -> io::Result<usize> {
    // Here no file is kept open, so it is read from its start to its end once.
    io::Read::read(&mut file, buffer)
}

/// Whether a file is made up by the kernel as it is read (statfs(2) lists the numbers of proc, sysfs and the two
/// kinds of control groups).
#[cfg(any(target_os = "linux", target_os = "android"))]
fn is_kernels(file: &File) -> bool {
    const KINDS: [u64; 4] = [0x9fa0, 0x6265_6572, 0x0027_e0eb, 0x6367_7270];
    // The type of the number differs between architectures.
    rustix::fs::fstatfs(file).is_ok_and(|fs| KINDS.contains(&(fs.f_type as u64)))
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn is_kernels(_file: &File) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_too_large_or_absent_or_a_directory_is_a_reason_not_a_panic() {
        let dir = tempfile::tempdir().unwrap();
        let mut files = Files::new(dir.path().to_owned());
        let mut big = files.source("big");
        std::fs::write(big.path(), vec![b'x'; FILE_LIMIT + 5]).unwrap();
        assert!(files.whole(&mut big).unwrap_err().contains("too large"));
        assert_eq!(files.head(&mut big).unwrap().len(), CHUNK);
        assert_eq!(files.buffer.len(), CHUNK);
        assert!(files.whole(&mut files.source("absent")).is_err());
        assert!(files.whole(&mut Source::new(dir.path().to_owned())).is_err());
        assert!(!files.is_native());
    }

    #[test]
    fn a_plain_file_that_is_replaced_is_read_anew() {
        let dir = tempfile::tempdir().unwrap();
        let mut files = Files::new(dir.path().to_owned());
        let mut source = files.source("x");
        std::fs::write(source.path(), vec![b'1'; 20_000]).unwrap();
        assert_eq!(files.whole(&mut source).unwrap(), vec![b'1'; 20_000]);
        std::fs::write(dir.path().join("y"), "22").unwrap();
        std::fs::rename(dir.path().join("y"), source.path()).unwrap();
        assert_eq!(files.whole(&mut source).unwrap(), b"22");
        std::fs::remove_file(source.path()).unwrap();
        assert!(files.whole(&mut source).is_err());
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn the_kernels_files_are_kept_open_and_current() {
        let mut files = Files::new("/".into());
        let mut source = files.source("proc/uptime");
        let before = files.head(&mut source).unwrap().to_vec();
        assert!(source.kept.is_some());
        std::thread::sleep(std::time::Duration::from_millis(30));
        assert_ne!(files.head(&mut source).unwrap(), before);
        let mut long = files.source("proc/self/mountinfo");
        assert_eq!(files.whole(&mut long).unwrap(), std::fs::read("/proc/self/mountinfo").unwrap());
    }
}
