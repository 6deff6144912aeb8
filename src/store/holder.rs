//! Who holds a lease, and whether that process is known to be gone.

use std::{fmt, fs};

/// A process that works on a run.
///
/// A lease ends by the database's clock, whoever held it. One case need not wait for that: the holder ran on
/// this very machine, since its last boot, and its process exists no more. Should that evidence ever
/// deceive, the epoch still keeps the old holder from committing anything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    host: String,
    pid: u32,
    /// Boot and process id namespace: where `pid` means something.
    place: String,
}

impl Holder {
    /// This process.
    #[must_use]
    pub fn this_process() -> Self {
        let system = rustix::system::uname();
        let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
        let namespace = fs::read_link("/proc/self/ns/pid").unwrap_or_default();
        Self {
            host: system.nodename().to_string_lossy().into_owned(),
            pid: std::process::id(),
            place: format!("{} {}", boot.trim(), namespace.display()),
        }
    }

    /// The spelling in the heartbeat row: `host:pid boot namespace`.
    #[must_use]
    pub fn stored(&self) -> String {
        format!("{self} {}", self.place)
    }

    /// What a heartbeat row says of its holder, without where its process id means something.
    #[must_use]
    pub fn shown(stored: &str) -> &str {
        stored.split_once(' ').map_or(stored, |(shown, _)| shown)
    }

    /// Whether the holder a heartbeat row names is known to be gone, as seen from this process. This process
    /// itself counts as gone: it asks again only after it lost its connection and all that it held.
    #[must_use]
    pub fn knows_gone(&self, stored: &str) -> bool {
        if stored == self.stored() {
            return true;
        }
        let Some((shown, place)) = stored.split_once(' ') else {
            return false;
        };
        let Some((host, pid)) = shown.rsplit_once(':') else {
            return false;
        };
        let comparable = host == self.host && place == self.place && place.len() > 1;
        comparable && pid.parse().is_ok_and(is_gone)
    }
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.pid)
    }
}

/// No such process, or one that has ended and only waits for its parent to ask. Doubt means no.
fn is_gone(pid: u32) -> bool {
    match fs::read_to_string(format!("/proc/{pid}/stat")) {
        Ok(stat) => (stat.rsplit_once(") ")).is_some_and(|(_, rest)| rest.starts_with(['Z', 'X'])),
        Err(error) => {
            error.kind() == std::io::ErrorKind::NotFound
                && fs::exists("/proc/self/stat").unwrap_or(false)
        }
    }
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::Holder;

    #[test]
    fn a_living_holder_is_not_gone_and_a_dead_one_of_this_machine_is() {
        let me = Holder::this_process();
        assert!(me.knows_gone(&me.stored()));
        let parent = Holder {
            pid: std::os::unix::process::parent_id(),
            ..me.clone()
        };
        assert!(!me.knows_gone(&parent.stored()));
        let mut child = Command::new("true").spawn().expect("a process");
        let pid = child.id();
        child.wait().expect("it ends");
        let dead = Holder { pid, ..me.clone() };
        assert!(me.knows_gone(&dead.stored()));
    }

    #[test]
    fn of_other_machines_boots_and_spellings_nothing_is_known() {
        let me = Holder::this_process();
        let dead = Holder {
            pid: u32::MAX,
            ..me.clone()
        };
        assert!(me.knows_gone(&dead.stored()));
        let elsewhere = Holder {
            host: "elsewhere".to_owned(),
            ..dead.clone()
        };
        let earlier = Holder {
            place: "another boot".to_owned(),
            ..dead
        };
        for stored in [elsewhere.stored(), earlier.stored(), "someone".to_owned()] {
            assert!(!me.knows_gone(&stored), "{stored}");
        }
    }
}
