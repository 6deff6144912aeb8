//! Files for their owner's eyes only, whole or not there at all.
//!
//! A file is written beside its place, as `.pinferry-XXXXXX.draft`, and renamed. What a process left there that was
//! killed is taken away by the next one that writes into the folder; a lock tells it from one still being written.

use std::{
    ffi::OsStr,
    fs,
    io::{self, Write},
    os::unix::{ffi::OsStrExt as _, fs::PermissionsExt as _},
    path::{Path, PathBuf},
    time::Duration,
};

use tempfile::NamedTempFile;

use crate::failpoint;

const PREFIX: &str = ".pinferry-";
const SUFFIX: &str = ".draft";

/// A draft that is younger may not be locked yet by whoever begins it.
const SETTLED: Duration = Duration::from_secs(60);

/// What may be replaced by a file of the same name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Replace {
    /// Nothing: what stands there is left as it is.
    Nothing,
    /// What the caller has looked at, or made itself.
    Known,
}

/// Whom a file is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Readers {
    /// Its owner.
    Owner,
    /// Everybody: it holds nothing of anybody.
    All,
}

/// A file under way. It appears under its name, in place of what stood there, when it is finished.
#[derive(Debug)]
pub(super) struct PrivateFile {
    path: PathBuf,
    draft: NamedTempFile,
    replace: Replace,
}

impl PrivateFile {
    /// Begins a file beside its place.
    ///
    /// # Errors
    /// Something stands there that may not be replaced, or the folder cannot be written.
    pub(super) fn create(path: &Path, replace: Replace) -> io::Result<Self> {
        look_at_place(path)?;
        if replace == Replace::Nothing && fs::exists(path)? {
            return Err(another_stands_there());
        }
        let folder = folder(path);
        sweep(folder);
        let draft = tempfile::Builder::new()
            .prefix(PREFIX)
            .suffix(SUFFIX)
            .tempfile_in(folder)?;
        // Where the file system knows no locks nobody gets one, and drafts are left.
        drop(draft.as_file().try_lock());
        Ok(Self {
            replace,
            path: path.to_owned(),
            draft,
        })
    }

    /// Gives the file its name, once it is on the disk.
    pub(super) fn finish(self) -> io::Result<()> {
        self.finish_for(Readers::Owner)
    }

    /// The same for those who may read it.
    pub(super) fn finish_for(self, readers: Readers) -> io::Result<()> {
        if readers == Readers::All {
            let all = fs::Permissions::from_mode(0o644);
            self.draft.as_file().set_permissions(all)?;
        }
        self.draft.as_file().sync_all()?;
        failpoint::reached("file.rename");
        match self.replace {
            Replace::Nothing => drop(self.draft.persist_noclobber(&self.path)?),
            Replace::Known => drop(self.draft.persist(&self.path)?),
        }
        failpoint::reached("file.renamed");
        fs::File::open(folder(&self.path))?.sync_all()
    }
}

impl Write for PrivateFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.draft.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.draft.flush()
    }
}

fn folder(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        Some(_) | None => Path::new("."),
    }
}

/// Refuses what is there and no file, before anybody reads it: a pipe may be waited for for ever, and a device may have
/// no end.
///
/// # Errors
/// A folder, a pipe or a device has this name.
pub(super) fn look_at_place(path: &Path) -> io::Result<()> {
    match fs::metadata(path) {
        Ok(found) if !found.is_file() => Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "what stands there is no file",
        )),
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        Ok(_) | Err(_) => Ok(()),
    }
}

/// Sees whether a file can be written into a folder, or into the one that it is to be made in.
///
/// # Errors
/// It cannot.
pub(super) fn look_at_folder(folder: &Path) -> io::Result<()> {
    let standing = folder.ancestors().find(|folder| folder.exists());
    let standing = match standing {
        Some(folder) => folder,
        None => Path::new("."),
    };
    tempfile::Builder::new()
        .prefix(PREFIX)
        .suffix(SUFFIX)
        .tempfile_in(standing)
        .map(drop)
}

/// The error for a name that is taken.
pub(super) fn another_stands_there() -> io::Error {
    io::Error::new(
        io::ErrorKind::AlreadyExists,
        "another file stands there, and is not replaced",
    )
}

/// Takes away drafts of processes that were killed; nothing depends on it.
fn sweep(folder: &Path) {
    let Ok(entries) = fs::read_dir(folder) else {
        return;
    };
    for entry in entries.flatten() {
        if is_draft(&entry.file_name()) && is_left(&entry.path()).is_some_and(|left| left) {
            drop(fs::remove_file(entry.path()));
        }
    }
}

fn is_draft(name: &OsStr) -> bool {
    let name = name.as_bytes();
    name.starts_with(PREFIX.as_bytes()) && name.ends_with(SUFFIX.as_bytes())
}

/// Whether nobody writes it any more.
fn is_left(draft: &Path) -> Option<bool> {
    if !fs::symlink_metadata(draft).ok()?.is_file() {
        return None;
    }
    let file = fs::File::open(draft).ok()?;
    let age = file.metadata().ok()?.modified().ok()?.elapsed().ok()?;
    Some(age > SETTLED && file.try_lock().is_ok())
}

#[cfg(test)]
mod tests {
    use std::{
        fs::{self, File},
        io::Write as _,
        path::Path,
        time::SystemTime,
    };

    use super::{PrivateFile, Replace, SETTLED};

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).expect("a folder");
        let name = |entry: fs::DirEntry| entry.file_name().into_string().expect("a plain name");
        let mut names: Vec<_> = entries
            .map(|entry| name(entry.expect("an entry")))
            .collect();
        names.sort();
        names
    }

    #[test]
    fn a_pipe_a_device_and_a_folder_are_refused_without_being_read() {
        let folder = tempfile::tempdir().expect("a folder");
        let pipe = folder.path().join("pipe");
        let made = std::process::Command::new("mkfifo").arg(&pipe).status();
        assert!(made.expect("mkfifo").success());
        for path in [&pipe, Path::new("/dev/zero"), folder.path()] {
            for replace in [Replace::Nothing, Replace::Known] {
                let refused = PrivateFile::create(path, replace).expect_err("no file");
                assert_eq!(refused.to_string(), "what stands there is no file");
            }
        }
    }

    #[test]
    fn drafts_of_the_dead_go_and_those_of_the_living_and_files_of_others_stay() {
        let folder = tempfile::tempdir().expect("a folder");
        let long_ago = SystemTime::now() - 2 * SETTLED;
        let put = |name: &str| {
            let file = File::create(folder.path().join(name)).expect("a file");
            file.set_modified(long_ago).expect("an age");
            file
        };
        drop(put(".pinferry-dead00.draft"));
        drop(put(".somebody.draft"));
        let living = put(".pinferry-living.draft");
        living.try_lock().expect("the lock");
        let young = folder.path().join(".pinferry-young0.draft");
        drop(File::create(young).expect("a file"));

        let path = folder.path().join("plan.json");
        let mut file = PrivateFile::create(&path, Replace::Nothing).expect("a file");
        file.write_all(b"{}").expect("written");
        file.finish().expect("finished");
        let left = [
            ".pinferry-living.draft",
            ".pinferry-young0.draft",
            ".somebody.draft",
            "plan.json",
        ];
        assert_eq!(names(folder.path()), left);
    }
}
