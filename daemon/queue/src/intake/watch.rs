//! Kernel events to hints. A hint says where to look, never what is true.
//!
//! Written against notify 8.2: a rename in gives `Name(To)`, a written file `Close(Write)`, a hard link
//! only `Create`; an overflow is a pathless event with the rescan flag; reading a file of our own gives
//! `Access(Open)`, which must wake nobody; a removed root gives one last event, then silence.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use notify::event::{AccessKind, AccessMode, ModifyKind, RenameMode};
use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher};

use super::mailbox::Mailbox;
use super::scan::is_manifest_name;

/// Where to look, and what may have happened there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Hint {
    /// A writer closed this file, or it was renamed in.
    Closed(PathBuf),
    /// Somebody writes into this file.
    Writing(PathBuf),
    /// Something else happened to this name; it may be gone.
    Touched(PathBuf),
    /// A watched folder itself was removed or renamed.
    RootGone(PathBuf),
}

/// The kernel's watches. Without them everything still works, by listing.
pub(crate) struct Events {
    watcher: Option<RecommendedWatcher>,
    failed: Option<String>,
}

impl Events {
    pub(crate) fn new(roots: Vec<PathBuf>, mailbox: Arc<Mailbox>) -> Self {
        let handler = move |event: notify::Result<Event>| match event {
            Ok(event) if event.need_rescan() => mailbox.events_lost(),
            Ok(event) => {
                if let Some(hint) = hint_of(&event, &roots) {
                    mailbox.hint(hint);
                }
            }
            Err(error) => {
                tracing::warn!(%error, "watching for files had an error; listing instead");
                mailbox.events_lost();
            }
        };
        match notify::recommended_watcher(handler) {
            Ok(watcher) => Self {
                watcher: Some(watcher),
                failed: None,
            },
            Err(error) => Self {
                watcher: None,
                failed: Some(error.to_string()),
            },
        }
    }

    /// No events at all, for the reason given.
    #[cfg(test)]
    pub(crate) fn none(reason: &str) -> Self {
        Self {
            watcher: None,
            failed: Some(reason.to_owned()),
        }
    }

    /// Watches `root` itself, not what is below. Again after it was removed and made anew: the old
    /// watch is then dead without a word. The error is a sentence for the user.
    pub(crate) fn arm(&mut self, root: &Path) -> Result<(), String> {
        let Some(watcher) = &mut self.watcher else {
            return Err(self.failed.clone().unwrap_or_default());
        };
        // An unknown watch is the usual case and no error worth a word.
        let _ = watcher.unwatch(root);
        watcher
            .watch(root, RecursiveMode::NonRecursive)
            .map_err(|error| match error.kind {
                notify::ErrorKind::MaxFilesWatch => {
                    "the user's limit of file watches is used up (fs.inotify.max_user_watches)"
                        .into()
                }
                _ => error.to_string(),
            })
    }
}

/// What one event says about a manifest or a root; `None` if it says nothing of use.
fn hint_of(event: &Event, roots: &[PathBuf]) -> Option<Hint> {
    let path = event.paths.first()?;
    let leaves = matches!(
        event.kind,
        EventKind::Remove(_) | EventKind::Modify(ModifyKind::Name(RenameMode::From))
    );
    if leaves && roots.contains(path) {
        return Some(Hint::RootGone(path.clone()));
    }
    if !path.file_name().is_some_and(is_manifest_name) {
        return None;
    }
    let path = path.clone();
    match event.kind {
        EventKind::Access(AccessKind::Close(AccessMode::Write))
        | EventKind::Modify(ModifyKind::Name(RenameMode::To)) => Some(Hint::Closed(path)),
        EventKind::Modify(ModifyKind::Data(_)) => Some(Hint::Writing(path)),
        // The pair of a rename was already reported by its two halves.
        EventKind::Access(_) | EventKind::Modify(ModifyKind::Name(RenameMode::Both)) => None,
        _ => Some(Hint::Touched(path)),
    }
}

#[cfg(test)]
mod tests {
    use notify::event::{AccessMode, CreateKind, DataChange, MetadataKind, RemoveKind};

    use super::*;

    fn hint(kind: EventKind, path: &str) -> Option<Hint> {
        hint_of(&Event::new(kind).add_path(path.into()), &["/in".into()])
    }

    #[test]
    fn each_event_of_interest_becomes_one_hint() {
        let x = || PathBuf::from("/in/x.toml");
        let closed = EventKind::Access(AccessKind::Close(AccessMode::Write));
        let to = EventKind::Modify(ModifyKind::Name(RenameMode::To));
        let from = EventKind::Modify(ModifyKind::Name(RenameMode::From));
        let data = EventKind::Modify(ModifyKind::Data(DataChange::Any));
        let meta = EventKind::Modify(ModifyKind::Metadata(MetadataKind::Any));
        let removed = EventKind::Remove(RemoveKind::Folder);
        assert_eq!(hint(closed, "/in/x.toml"), Some(Hint::Closed(x())));
        assert_eq!(hint(to, "/in/x.toml"), Some(Hint::Closed(x())));
        assert_eq!(hint(from, "/in/x.toml"), Some(Hint::Touched(x())));
        assert_eq!(hint(data, "/in/x.toml"), Some(Hint::Writing(x())));
        assert_eq!(hint(meta, "/in/x.toml"), Some(Hint::Touched(x())));
        assert_eq!(
            hint(EventKind::Create(CreateKind::File), "/in/x.toml"),
            Some(Hint::Touched(x()))
        );
        assert_eq!(hint(removed, "/in"), Some(Hint::RootGone("/in".into())));
        assert_eq!(hint(from, "/in"), Some(Hint::RootGone("/in".into())));
    }

    #[test]
    fn reading_a_manifest_and_other_names_wake_nobody() {
        let opened = EventKind::Access(AccessKind::Open(AccessMode::Any));
        let both = EventKind::Modify(ModifyKind::Name(RenameMode::Both));
        let to = EventKind::Modify(ModifyKind::Name(RenameMode::To));
        assert_eq!(hint(opened, "/in/x.toml"), None);
        assert_eq!(hint(both, "/in/x.toml"), None);
        assert_eq!(hint(to, "/in/x.toml.part"), None);
        assert_eq!(hint(to, "/in/picture.png"), None);
        assert_eq!(hint_of(&Event::new(EventKind::Other), &[]), None);
    }
}
