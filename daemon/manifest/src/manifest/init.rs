//! The table `[init]`: the picture that is begun from.
//!
//! Only what is written is read here; whether the files are there and fit together, `check` finds out.

use std::path::PathBuf;

use crate::document::Section;
use crate::job::Extend;
use crate::limits;
use crate::problem::{Code, Fault};

/// The table `[init]`.
#[derive(Debug, Clone, PartialEq)]
pub struct InitWishes {
    /// The picture's path as written.
    pub path: PathBuf,
    /// The mask's path as written.
    pub mask: Option<PathBuf>,
    /// How much of the picture may change.
    pub strength: Option<f64>,
    /// How far the picture is to grow on each side.
    pub extend: Option<Extend>,
}

/// The table, if there is one with a usable path.
pub(super) fn read(section: &mut Section<'_, '_>) -> Option<InitWishes> {
    let entry = section.entry("init")?;
    let mut table = section.enter(&entry, "[init]")?;
    let path = table.string("path", limits::naming);
    table.require(
        "path",
        "name the picture to begin from: path = \"photo.png\"",
    );
    let mask = table.string("mask", limits::naming);
    let strength = table.number("strength", limits::strength);
    let extend = extend(&mut table);
    table.finish();
    Some(InitWishes {
        path: path?.into(),
        mask: mask.map(Into::into),
        strength,
        extend,
    })
}

fn extend(section: &mut Section<'_, '_>) -> Option<Extend> {
    let entry = section.entry("extend")?;
    let mut table = section.enter(&entry, "extend = { left = 128, right = 128 }")?;
    let mut side = |key| table.integer(key, limits::extension).unwrap_or_default();
    let extend = Extend {
        left: side("left"),
        right: side("right"),
        top: side("top"),
        bottom: side("bottom"),
    };
    let given = table.is_given();
    table.finish();
    // A side that was written and is wrong has been reported.
    if !given {
        section.report(&entry, nowhere());
        return None;
    }
    Some(extend)
}

/// What to say of an extension that adds nothing.
pub(crate) fn nowhere() -> Fault {
    Fault::of_key(Code::InvalidValue, "names no side")
        .hint("name the sides that grow, with pixels: left, right, top, bottom")
}
