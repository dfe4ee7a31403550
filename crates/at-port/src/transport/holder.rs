//! Who else has a port.

use std::fs;
use std::path::Path;

/// A daemon that opens every port that looks like a modem's, and the one most often met.
const MODEM_MANAGER: &str = "ModemManager";

/// Names the process that has the port open, as far as the system tells; this process only if no other has.
///
/// A user sees the files of own processes only, and of others at most that they hold a lock.
pub(super) fn name_of(path: &Path) -> String {
    let own = std::process::id();
    let mut holders = with_file_open(path);
    holders.extend(with_lock(path));
    match holders.iter().find(|&&process| process != own) {
        Some(&process) => named(process),
        None if holders.contains(&own) => "this process".to_owned(),
        None => match processes().find(|&process| command(process).as_deref() == Some(MODEM_MANAGER)) {
            Some(suspect) => format!("another user's process, probably {}", named(suspect)),
            None => "another user's process".to_owned(),
        },
    }
}

fn named(process: u32) -> String {
    let name = command(process).unwrap_or_else(|| "a process without a name".to_owned());
    format!("{} (process {process})", name.escape_debug())
}

fn command(process: u32) -> Option<String> {
    fs::read_to_string(format!("/proc/{process}/comm")).ok().map(|name| name.trim().to_owned())
}

fn processes() -> impl Iterator<Item = u32> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

fn with_file_open(path: &Path) -> Vec<u32> {
    let Ok(device) = path.canonicalize() else { return Vec::new() };
    let holds = |process: &u32| {
        let files = fs::read_dir(format!("/proc/{process}/fd")).into_iter().flatten().flatten();
        files.into_iter().any(|file| fs::read_link(file.path()).is_ok_and(|to| to == device))
    };
    processes().filter(holds).collect()
}

/// Those who hold a lock on the device's file, whoever's processes they are.
#[cfg(target_os = "linux")]
fn with_lock(path: &Path) -> Vec<u32> {
    use std::os::unix::fs::MetadataExt;

    let Ok(file) = fs::metadata(path) else { return Vec::new() };
    fs::read_to_string("/proc/locks")
        .map_or_else(|_| Vec::new(), |table| holders_in(&table, file.dev(), file.ino()))
}

#[cfg(not(target_os = "linux"))]
fn with_lock(_: &Path) -> Vec<u32> {
    Vec::new()
}

/// The processes in a table such as `1: FLOCK  ADVISORY  WRITE 1234 00:16:5 0 EOF`.
#[cfg(target_os = "linux")]
fn holders_in(table: &str, device: u64, inode: u64) -> Vec<u32> {
    // The numbers of a device as Linux packs them.
    let major = (device >> 8) & 0xfff | (device >> 32) & !0xfff;
    let minor = device & 0xff | (device >> 12) & !0xff;
    let file = format!("{major:02x}:{minor:02x}:{inode}");
    let of_line = |line: &str| {
        let mut words = line.split_whitespace().skip(4);
        let process = words.next()?.parse().ok()?;
        (words.next()? == file).then_some(process)
    };
    table.lines().filter_map(of_line).collect()
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn the_table_of_locks_names_the_holder() {
        let table = "1: POSIX  ADVISORY  WRITE 77 fd:01:393 0 EOF\n\
                     2: FLOCK  ADVISORY  WRITE 1234 00:16:5 0 EOF\n\
                     2: -> FLOCK  ADVISORY  WRITE 1300 00:16:5 0 EOF\n\
                     3: FLOCK  ADVISORY  WRITE 99 00:16:55 0 EOF\n";
        assert_eq!(holders_in(table, 0x16, 5), [1234]);
        assert_eq!(holders_in(table, 0xfd01, 393), [77]);
        assert_eq!(holders_in("nonsense\n\n1: FLOCK", 0x16, 5), [0; 0]);
    }
}
