//! How full the fullest local writable mount is.
//!
//! Fullness is what `df` shows: used over used and available, so that blocks reserved for root count as neither, and
//! 100 % is where an unprivileged writer fails. On Linux the mounts come from `/proc/self/mountinfo`
//! (proc_pid_mountinfo(5)); their sizes come from statvfs(3) on Unix and from `sysinfo` elsewhere, which knows no
//! reserves. All mounts are asked every five seconds and the fullest each time.

use super::files::{Files, Reason, Source, Value};
use crate::clock::Clock;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;
use sysinfo::{DiskRefreshKind, Disks};

/// Mounts change rarely and listing them costs far more than asking for their sizes.
const RELIST: Duration = Duration::from_secs(30);
/// The fullest mount is asked in every reading, the others when they were last asked so long ago.
const REFRESH: Duration = Duration::from_secs(5);
/// Never written in normal use, whatever the mount options say.
const IMAGES: [&str; 5] = ["squashfs", "iso9660", "udf", "erofs", "cramfs"];
/// Local file systems whose source is not a path under `/dev`.
const POOLS: [&str; 5] = ["zfs", "btrfs", "bcachefs", "ubifs", "jffs2"];
/// Where a listing has no sources: what is not a local disk.
const NOT_LOCAL: [&str; 14] = [
    "tmpfs", "devtmpfs", "overlay", "ramfs", "devfs", "autofs", "nfs", "nfs4", "cifs", "smbfs",
    "smb3", "afpfs", "webdav", "9p",
];

/// A line of mountinfo.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mount {
    pub(super) point: PathBuf,
    /// `major:minor` of the device.
    device: String,
    /// What within the file system is mounted; `/` for all of it.
    pub(super) root: String,
    pub(super) kind: String,
    source: String,
    /// Of the file system, not of the mount.
    pub(super) options: String,
    writable: bool,
}

impl Mount {
    fn is_local_disk(&self) -> bool {
        self.writable
            && !IMAGES.contains(&self.kind.as_str())
            && (self.source.starts_with("/dev/") || POOLS.contains(&self.kind.as_str()))
    }

    /// How far from the plain mount of a whole file system this is.
    fn depth(&self) -> (usize, usize) {
        (self.root.len(), self.point.as_os_str().len())
    }
}

/// `36 35 98:0 /root /mnt rw,noatime shared:1 - ext3 /dev/sda1 rw,errors=continue`
pub(super) fn parse_mount(line: &str) -> Option<Mount> {
    let (left, right) = line.split_once(" - ")?;
    let mut left = left.split(' ').skip(2);
    let (device, root, point, options) = (left.next()?, left.next()?, left.next()?, left.next()?);
    let mut right = right.split(' ');
    let (kind, source) = (right.next()?, right.next()?);
    let own = right.next().unwrap_or_default();
    let read_only = |options: &str| options.split(',').any(|o| o == "ro");
    Some(Mount {
        point: path(unescape(point)),
        device: device.to_owned(),
        root: root.to_owned(),
        kind: kind.to_owned(),
        source: String::from_utf8_lossy(&unescape(source)).into_owned(),
        // Either the mount or the file system beneath it can be read-only.
        writable: !read_only(options) && !read_only(own),
        options: own.to_owned(),
    })
}

/// The table as text: a byte that is no UTF-8, which a path may hold, as the kernel writes a blank.
fn escaped(table: &[u8]) -> String {
    let mut text = String::with_capacity(table.len());
    for chunk in table.utf8_chunks() {
        text.push_str(chunk.valid());
        for byte in chunk.invalid() {
            // Writing to a string does not fail.
            let _ = write!(text, "\\{byte:03o}");
        }
    }
    text
}

/// Blanks, tabs, newlines and backslashes stand as `\ooo` in the kernel's tables.
fn unescape(text: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('\\') {
        out.extend_from_slice(before.as_bytes());
        match after.get(..3).and_then(|digits| u8::from_str_radix(digits, 8).ok()) {
            Some(byte) => {
                out.push(byte);
                rest = &after[3..];
            }
            None => {
                out.push(b'\\');
                rest = after;
            }
        }
    }
    out.extend_from_slice(rest.as_bytes());
    out
}

#[cfg(unix)]
fn path(bytes: Vec<u8>) -> PathBuf {
    let path: std::ffi::OsString = std::os::unix::ffi::OsStringExt::from_vec(bytes);
    path.into()
}

#[cfg(not(unix))]
fn path(bytes: Vec<u8>) -> PathBuf {
    String::from_utf8_lossy(&bytes).into_owned().into()
}

/// The mounts that can fill up, one for each device; the root mount where there is none, as in a container.
///
/// Files are mounted too: a container's `/etc/hosts` is a piece of the disk beneath. What is no directory stands neither
/// for its device nor for the root.
fn candidates(text: &str, is_directory: impl Fn(&Path) -> bool) -> Vec<Mount> {
    let mut visible: Vec<Mount> = Vec::new();
    for mount in text.lines().filter_map(parse_mount) {
        // A later mount on the same point hides the earlier one.
        visible.retain(|m| m.point != mount.point);
        visible.push(mount);
    }
    let root = visible.iter().find(|m| m.point == Path::new("/") && m.writable).cloned();
    let can_fill = |m: &Mount| m.is_local_disk() && is_directory(&m.point);
    let mut local: Vec<Mount> = visible.into_iter().filter(can_fill).collect();
    local.sort_by_key(Mount::depth);
    let mut chosen: Vec<Mount> = Vec::new();
    for mount in local {
        // Subvolumes of one file system have device numbers of their own, and bind mounts the same.
        let same = |m: &Mount| {
            m.device == mount.device || (m.source == mount.source && m.source.starts_with("/dev/"))
        };
        if !chosen.iter().any(same) {
            chosen.push(mount);
        }
    }
    if chosen.is_empty() { root.into_iter().collect() } else { chosen }
}

/// What a mount says of itself.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Size {
    /// Used over used and available, 0–1.
    used: f64,
    /// Of the files that can be; none where the file system has no such limit.
    inodes_used: Option<f64>,
    /// Tells that the path still leads to the same file system.
    identity: u64,
}

/// A mount that is watched.
#[derive(Debug)]
struct Target {
    point: PathBuf,
    /// The point as it is shown.
    name: String,
    /// As it was when last asked.
    size: Size,
}

/// The list of mounts and their sizes.
pub(super) struct Filesystem {
    mountinfo: Source,
    disks: Option<Disks>,
    targets: Vec<Target>,
    listed: Option<Duration>,
    refreshed: Duration,
}

impl Filesystem {
    pub(super) fn new(files: &Files) -> Self {
        Self {
            mountinfo: files.source("proc/self/mountinfo"),
            disks: None,
            targets: Vec::new(),
            listed: None,
            refreshed: Duration::ZERO,
        }
    }

    /// Utilisation of the fullest mount, and which one it is.
    pub(super) fn utilization(
        &mut self,
        files: &mut Files,
        clock: &dyn Clock,
    ) -> (Value, Option<&str>) {
        match self.fullest(files, clock.awake()) {
            Ok(i) => (Ok(self.targets[i].size.used), Some(&self.targets[i].name)),
            Err(reason) => (Err(reason), None),
        }
    }

    /// Point, utilisation and utilisation of inodes of each watched mount.
    pub(super) fn all(
        &mut self,
        files: &mut Files,
    ) -> Result<impl Iterator<Item = (&str, f64, Option<f64>)>, Reason> {
        self.list(files)?;
        Ok(self.targets.iter().map(|t| (t.name.as_str(), t.size.used, t.size.inodes_used)))
    }

    fn fullest(&mut self, files: &mut Files, now: Duration) -> Result<usize, Reason> {
        if self.listed.is_none_or(|l| now.saturating_sub(l) > RELIST) || !self.refresh(now) {
            // Also after an unmount: the empty mount point would pass off its parent's size as its own.
            self.list(files)?;
            self.listed = Some(now);
            self.refreshed = now;
        }
        let full = |&i: &usize| self.targets[i].size.used;
        (0..self.targets.len())
            .max_by(|a, b| full(a).total_cmp(&full(b)))
            .ok_or("no local writable mount tells its size".into())
    }

    /// Asks the fullest mount, and if it is time all; whether each is still the same file system.
    fn refresh(&mut self, now: Duration) -> bool {
        let all = now.saturating_sub(self.refreshed) >= REFRESH;
        if all {
            self.refreshed = now;
        }
        let most = self.targets.iter().map(|t| t.size.used).fold(0.0, f64::max);
        self.targets.iter_mut().filter(|t| all || t.size.used >= most).all(|target| {
            let now = size(&target.point, self.disks.as_mut());
            let same = now.filter(|now| now.identity == target.size.identity);
            same.map(|now| target.size = now).is_some()
        })
    }

    fn list(&mut self, files: &mut Files) -> Result<(), Reason> {
        self.listed = None;
        self.targets.clear();
        let native = files.is_native();
        let points: Vec<PathBuf> = match files.whole(&mut self.mountinfo) {
            Ok(text) => {
                let text = escaped(text);
                candidates(&text, Path::is_dir).into_iter().map(|m| m.point).collect()
            }
            Err(_) if native => {
                if self.disks.is_none() {
                    self.disks = Disks::new().ok();
                }
                let disks = self.disks.as_mut().ok_or("the system lists no disks")?;
                disks.refresh_specifics(true, DiskRefreshKind::nothing().with_storage());
                listed_points(disks)
            }
            Err(reason) => return Err(reason),
        };
        for point in points {
            if let Some(size) = size(&point, self.disks.as_mut()) {
                let name = super::text::shown(point.as_os_str().as_encoded_bytes());
                self.targets.push(Target { point, name, size });
            }
        }
        Ok(())
    }
}

/// The size of the file system at `point`; `None` if it tells none.
///
/// Only candidates are asked: a dead network mount would keep an answer waiting for ever.
#[cfg(unix)]
fn size(point: &Path, _disks: Option<&mut Disks>) -> Option<Size> {
    let v = rustix::fs::statvfs(point).ok()?;
    let share = |used: u64, of: u64| (of > 0).then(|| used as f64 / of as f64);
    let used = v.f_blocks.saturating_sub(v.f_bfree);
    Some(Size {
        used: share(used, used.saturating_add(v.f_bavail))?,
        inodes_used: share(v.f_files.saturating_sub(v.f_ffree), v.f_files),
        // The number is zero where a file system has none; then at least its size must be the same.
        identity: v.f_fsid ^ v.f_blocks.rotate_left(32),
    })
}

#[cfg(not(unix))]
fn size(point: &Path, disks: Option<&mut Disks>) -> Option<Size> {
    let disk = disks?.iter_mut().find(|d| d.mount_point() == point)?;
    disk.refresh_specifics(DiskRefreshKind::nothing().with_storage());
    let total = disk.total_space();
    let used = (1.0 - disk.available_space() as f64 / total as f64).clamp(0.0, 1.0);
    (total > 0).then_some(Size { used, inodes_used: None, identity: total })
}

/// The candidates where only `sysinfo` knows the mounts.
fn listed_points(disks: &Disks) -> Vec<PathBuf> {
    let mut seen = Vec::new();
    let mut points = Vec::new();
    for disk in disks.iter().filter(|d| !d.is_read_only()) {
        let kind = disk.file_system().to_string_lossy().to_ascii_lowercase();
        if NOT_LOCAL.contains(&kind.as_str()) || IMAGES.contains(&kind.as_str()) {
            continue;
        }
        // Windows names volumes by a label that two of them may share.
        let same = (disk.name().to_owned(), disk.total_space(), disk.available_space());
        if !seen.contains(&same) {
            seen.push(same);
            points.push(disk.mount_point().to_owned());
        }
    }
    points
}

impl std::fmt::Debug for Filesystem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Filesystem").field("targets", &self.targets).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn points(text: &str) -> Vec<String> {
        let directory = |point: &Path| !point.starts_with("/etc");
        candidates(text, directory).iter().map(|m| m.point.display().to_string()).collect()
    }

    #[test]
    fn only_local_writable_disks_count_and_each_once() {
        let text = "\
22 1 8:2 / / rw,relatime shared:1 - ext4 /dev/sda2 rw
23 22 0:21 / /proc rw - proc proc rw
24 22 0:22 / /tmp rw - tmpfs tmpfs rw
25 22 8:1 / /boot ro,relatime - ext4 /dev/sda1 rw
26 22 8:3 / /broken rw - ext4 /dev/sda3 ro,errors=remount-ro
27 22 8:2 /srv/www /var/www rw - ext4 /dev/sda2 rw
28 22 7:0 / /snap/core rw - squashfs /dev/loop0 rw
29 22 0:40 / /net rw - nfs4 server:/export rw
30 22 8:17 / /data\\040disk rw master:2 - xfs /dev/sdb1 rw
31 22 0:50 / /tank/a rw - zfs tank/a rw,xattr
32 22 0:51 / /tank/b rw - zfs tank/b rw,xattr
";
        assert_eq!(points(text), ["/", "/tank/a", "/tank/b", "/data disk"]);
    }

    #[test]
    fn subvolumes_and_hidden_mounts_are_one() {
        let text = "\
22 1 0:30 /@ / rw - btrfs /dev/sda2 rw
23 22 0:31 /@home /home rw - btrfs /dev/sda2 rw
24 22 8:1 / /mnt rw - ext4 /dev/sdb1 rw
25 24 8:9 / /mnt ro - ext4 /dev/sdc1 rw
";
        assert_eq!(points(text), ["/"]);
    }

    #[test]
    fn a_container_falls_back_to_its_root() {
        let text = "22 1 0:99 / / rw - overlay overlay rw\n23 22 0:22 / /tmp rw - tmpfs tmpfs rw\n";
        assert_eq!(points(text), ["/"]);
        assert!(points("22 1 0:99 / / ro - overlay overlay ro\n").is_empty());
        assert!(points("").is_empty());
        // The files that a container's runtime mounts are no disk of the container, and do not hide one that is.
        let runtime = format!("{text}24 22 8:1 /x/hosts /etc/hosts rw - ext4 /dev/sda1 rw\n");
        assert_eq!(points(&runtime), ["/"]);
        let volume = format!("{runtime}25 22 8:1 /long/name/data /data rw - ext4 /dev/sda1 rw\n");
        assert_eq!(points(&volume), ["/data"]);
    }

    #[test]
    fn a_mount_that_changed_is_listed_again_and_the_fullest_is_named() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(dir.path().join("proc/self")).unwrap();
        let table = dir.path().join("proc/self/mountinfo");
        std::fs::write(&table, "22 1 8:1 / / rw - ext4 /dev/sda1 rw\n").unwrap();
        let mut files = Files::new(dir.path().to_owned());
        let mut fs = Filesystem::new(&files);
        let clock = crate::clock::ManualClock::new();
        let (used, name) = fs.utilization(&mut files, &clock);
        assert!((0.0..=1.0).contains(&used.unwrap()) && name == Some("/"));
        // As if another file system had been mounted there: all mounts are listed anew at once.
        std::fs::write(&table, "22 1 8:1 / / ro - ext4 /dev/sda1 rw\n").unwrap();
        assert!(fs.utilization(&mut files, &clock).0.is_ok());
        fs.targets[0].size.identity ^= 1;
        assert!(fs.utilization(&mut files, &clock).0.is_err());
    }

    #[test]
    fn escapes_are_resolved_and_nonsense_is_kept() {
        assert_eq!(unescape(r"a\040b\134c\9\"), br"a b\c\9\");
        assert_eq!(unescape(r"\04é\777"), r"\04é\777".as_bytes());
    }

    #[cfg(unix)]
    #[test]
    fn a_mount_whose_name_is_no_utf_8_counts_too() {
        use std::os::unix::ffi::OsStrExt;
        let dir = tempfile::tempdir().unwrap();
        let place = dir.path().join(std::ffi::OsStr::from_bytes(b"caf\xe9"));
        // Some file systems take no such names.
        if std::fs::create_dir_all(&place).is_err() {
            return;
        }
        std::fs::create_dir_all(dir.path().join("proc/self")).unwrap();
        let mut line = b"22 1 8:1 / ".to_vec();
        line.extend_from_slice(place.as_os_str().as_bytes());
        line.extend_from_slice(b" rw - ext4 /dev/sda1 rw\n");
        std::fs::write(dir.path().join("proc/self/mountinfo"), line).unwrap();
        let mut files = Files::new(dir.path().to_owned());
        let mut fs = Filesystem::new(&files);
        let (used, name) = fs.utilization(&mut files, &crate::clock::ManualClock::new());
        assert!(used.is_ok() && name.unwrap().ends_with("caf\u{fffd}"), "{used:?}");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(128))]

        #[test]
        fn garbage_never_panics(text in r"([0-9a-z:/\\, é-]{0,12} ?){0,16}( - )?[a-z/ ]{0,12}\n?") {
            let _ = (candidates(&text, |_| true), unescape(&text));
        }
    }
}
