//! Which files a manifest may name: confinement to its own folder and those the config allows.
//!
//! A manifest comes from anyone who can write to a watched folder, and the daemon may be able to
//! read more than they: so a path that leads out is refused, whether by `..`, by being absolute,
//! or through a symbolic link, and without looking whether there is anything at its end.
//! Nothing but a regular file is ever opened; opening cannot block on a pipe.
//!
//! This is a check at one moment. Whoever later reads the file takes [`open_regular`] on the
//! canonical path given here, works from its own copy, and so is not fooled by a swap.

use std::fs::{self, File, FileType};
use std::io;
use std::os::unix::fs::FileTypeExt;
use std::path::{Component, Path, PathBuf};

use rustix::fs::{Mode, OFlags};
use thiserror::Error;

use crate::problem::{Code, Fault, quoted};

/// Symbolic links followed before a path is taken for a loop, as in the kernel.
const MAX_LINKS: usize = 40;

/// Why a path cannot be used.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum PathProblem {
    /// It leads out of every folder that may be named.
    #[error("leads out of the folders that may be used")]
    Escapes,
    /// There is nothing.
    #[error("does not exist")]
    Missing,
    /// There is a symbolic link that points to nothing.
    #[error("is a link to nothing")]
    Dangling,
    /// Something is there that is not a regular file; what it is, in words.
    #[error("is {0}, not a file")]
    NotAFile(&'static str),
    /// It cannot be read.
    #[error("cannot be read: {}", .0.kind())]
    Unreadable(#[source] io::Error),
}

impl PathProblem {
    /// The stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        self.kind().as_str()
    }

    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Escapes => {
                Some("put the file beside the manifest, or allow its folder in the daemon's config")
            }
            Self::Missing | Self::Dangling => {
                Some("paths are relative to the manifest; copy the files first, the manifest last")
            }
            Self::Unreadable(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                Some("the daemon's user must be allowed to read it")
            }
            Self::NotAFile(_) | Self::Unreadable(_) => None,
        }
    }

    fn kind(&self) -> Code {
        match self {
            Self::Escapes => Code::PathEscapes,
            Self::Missing | Self::Dangling => Code::FileMissing,
            Self::NotAFile(_) => Code::NotAFile,
            Self::Unreadable(_) => Code::FileUnreadable,
        }
    }

    pub(crate) fn into_fault(self, given: &Path) -> Fault {
        let given = quoted(&given.to_string_lossy());
        Fault::of_key(self.kind(), format!("is {given}, which {self}"))
            .maybe_hint(self.hint().map(str::to_owned))
    }
}

/// The canonical absolute path of what `given` names, a file or a folder. A relative path starts
/// at `folder`; the result lies inside `folder` or one of `allowed` (which are absolute; one that
/// does not exist allows nothing).
///
/// # Errors
///
/// Every [`PathProblem`] but [`PathProblem::NotAFile`].
pub fn resolve(given: &Path, folder: &Path, allowed: &[PathBuf]) -> Result<PathBuf, PathProblem> {
    let folder = std::path::absolute(folder).map_err(PathProblem::Unreadable)?;
    let roots = std::iter::once(folder.as_path()).chain(allowed.iter().map(|root| &**root));
    Roots::of(roots).resolve(&folder.join(given))
}

/// The same for a regular file, which is also opened for reading.
///
/// # Errors
///
/// Every [`PathProblem`].
pub fn confine(
    given: &Path,
    folder: &Path,
    allowed: &[PathBuf],
) -> Result<(PathBuf, File), PathProblem> {
    let canonical = resolve(given, folder, allowed)?;
    let file = open_regular(&canonical)?;
    Ok((canonical, file))
}

/// The folders that may be named, each as it was given and without its links.
struct Roots(Vec<(PathBuf, PathBuf)>);

impl Roots {
    fn of<'a>(given: impl Iterator<Item = &'a Path>) -> Self {
        Self(
            given
                .filter_map(|root| Some((root.to_owned(), fs::canonicalize(root).ok()?)))
                .collect(),
        )
    }

    /// Follows an absolute path part by part, and never looks at anything outside: the kernel's
    /// own resolution would, and the difference between "missing" and "escapes" would then tell
    /// whoever may write a manifest, or a link, which files of other people exist.
    fn resolve(&self, path: &Path) -> Result<PathBuf, PathProblem> {
        let (mut at, rest) = self.enter(path).ok_or(PathProblem::Escapes)?;
        let mut pending: Vec<PathBuf> = Vec::new();
        push_parts(&mut pending, rest);
        let mut links = 0;
        while let Some(part) = pending.pop() {
            if part.as_os_str() == ".." {
                at.pop();
                continue;
            }
            // An absolute part, from a link, starts again at the top.
            let next = at.join(&part);
            if !self.may_look_at(&next) {
                return Err(PathProblem::Escapes);
            }
            let entry = match fs::symlink_metadata(&next) {
                Ok(entry) => entry,
                Err(error) => {
                    return Err(match of_io(error) {
                        PathProblem::Missing if links > 0 => PathProblem::Dangling,
                        problem => problem,
                    });
                }
            };
            if !entry.is_symlink() {
                at = next;
                continue;
            }
            links += 1;
            if links > MAX_LINKS {
                return Err(PathProblem::Unreadable(rustix::io::Errno::LOOP.into()));
            }
            push_parts(&mut pending, &fs::read_link(&next).map_err(of_io)?);
        }
        if self.contain(&at) {
            Ok(at)
        } else {
            Err(PathProblem::Escapes)
        }
    }

    /// The root that a path begins with, without links, and the path from there on.
    fn enter<'p>(&self, path: &'p Path) -> Option<(PathBuf, &'p Path)> {
        self.0.iter().find_map(|(given, canonical)| {
            let rest = (path.strip_prefix(given)).or_else(|_| path.strip_prefix(canonical));
            Some((canonical.clone(), rest.ok()?))
        })
    }

    /// Whether a path without links lies in one of them.
    fn contain(&self, path: &Path) -> bool {
        self.0.iter().any(|(_, root)| path.starts_with(root))
    }

    /// Whether it says nothing new that a path exists: it is inside, or on the way to a root.
    fn may_look_at(&self, path: &Path) -> bool {
        self.contain(path) || self.0.iter().any(|(_, root)| root.starts_with(path))
    }
}

/// Puts the parts of a path on the stack, the first on top.
fn push_parts(pending: &mut Vec<PathBuf>, path: &Path) {
    let parts = path.components().filter(|part| *part != Component::CurDir);
    pending.extend(parts.rev().map(|part| PathBuf::from(part.as_os_str())));
}

/// Opens a regular file for reading, without following a link in its last part and without
/// waiting: a pipe that nobody writes to is refused, not waited for.
///
/// # Errors
///
/// [`PathProblem::Missing`], [`PathProblem::NotAFile`] or [`PathProblem::Unreadable`].
pub fn open_regular(path: &Path) -> Result<File, PathProblem> {
    // Looked at before it is opened, since opening a device can already do something; and again
    // after, since it may have been swapped in between.
    only_regular(fs::symlink_metadata(path).map_err(of_io)?.file_type())?;
    let flags =
        OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let file = rustix::fs::open(path, flags, Mode::empty()).map_err(|errno| of_io(errno.into()))?;
    let file = File::from(file);
    only_regular(file.metadata().map_err(of_io)?.file_type())?;
    Ok(file)
}

/// A kind of directory entry in words, with its article.
pub(crate) fn describe(kind: FileType) -> &'static str {
    if kind.is_dir() {
        "a folder"
    } else if kind.is_symlink() {
        "a link"
    } else if kind.is_fifo() {
        "a pipe"
    } else if kind.is_socket() {
        "a socket"
    } else if kind.is_block_device() || kind.is_char_device() {
        "a device"
    } else {
        "a special file"
    }
}

fn only_regular(kind: FileType) -> Result<(), PathProblem> {
    if kind.is_file() {
        Ok(())
    } else {
        Err(PathProblem::NotAFile(describe(kind)))
    }
}

fn of_io(error: io::Error) -> PathProblem {
    match error.kind() {
        // A part of the way that is a file and not a folder: there is nothing behind it either.
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => PathProblem::Missing,
        _ => PathProblem::Unreadable(error),
    }
}
