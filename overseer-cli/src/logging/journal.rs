//! Whether stderr is systemd's journal.

/// Whether stderr is the stream that `JOURNAL_STREAM` names, by device and inode (systemd.exec(5)): a child whose stderr
/// goes elsewhere inherits the variable all the same.
#[cfg(unix)]
pub(super) fn is_stderr() -> bool {
    use std::os::fd::AsFd;
    use std::os::unix::fs::MetadataExt;
    let Ok(named) = std::env::var("JOURNAL_STREAM") else { return false };
    let Ok(stream) = std::io::stderr().as_fd().try_clone_to_owned() else { return false };
    let Ok(found) = std::fs::File::from(stream).metadata() else { return false };
    is_named(&named, found.dev(), found.ino())
}

#[cfg(not(unix))]
pub(super) fn is_stderr() -> bool {
    false
}

#[cfg(unix)]
fn is_named(named: &str, device: u64, inode: u64) -> bool {
    let named = named.split_once(':').map(|(d, i)| (d.parse(), i.parse()));
    named == Some((Ok(device), Ok(inode)))
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn the_journal_is_known_by_device_and_inode() {
        assert!(is_named("8:35", 8, 35));
        for other in ["8:36", "9:35", "8", "", ":", "8:35:1", "-8:35", "x:y"] {
            assert!(!is_named(other, 8, 35), "{other}");
        }
    }
}
