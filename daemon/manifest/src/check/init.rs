//! The picture that a job begins from: its files, and the size that it gives the job.

use std::fs::File;
use std::io::Seek;
use std::path::{Path, PathBuf};

use super::Examination;
use crate::job::{Extend, JobInit};
use crate::limits::{MAX_SIDE, MIN_SIDE, SIDE_STEP};
use crate::manifest::{InitWishes, Manifest};
use crate::paths::{self, PathProblem};
use crate::problem::{Code, Fault, quoted};
use crate::sniff::{self, Kind};

/// Width and height in pixels.
pub(super) type Size = (u32, u32);

impl Examination<'_> {
    /// The picture to begin from, and its own size.
    pub(super) fn init(&mut self, wishes: &Manifest) -> Option<(JobInit, Size)> {
        let init = wishes.init.as_ref()?;
        let picture = self.picture("init.path", &init.path);
        let mask = init
            .mask
            .as_deref()
            .map(|mask| self.picture("init.mask", mask));
        let (path, size) = picture?;
        let mask = match mask {
            None => None,
            Some(mask) => {
                let (path, of_mask) = mask?;
                if of_mask != size {
                    let says = format!(
                        "is {} × {} pixels and the picture {} × {}; they must be of one size",
                        of_mask.0, of_mask.1, size.0, size.1
                    );
                    let fault = Fault::of_key(Code::MaskSize, says)
                        .hint("draw the mask over the picture itself; white is painted anew");
                    self.report("init.mask", fault);
                    return None;
                }
                Some(path)
            }
        };
        let init = JobInit {
            path,
            mask,
            strength: init.strength,
            extend: init.extend.unwrap_or_default(),
        };
        Some((init, size))
    }

    /// The path without links and the size of a picture, as it is seen.
    fn picture(&mut self, key: &str, given: &Path) -> Option<(PathBuf, Size)> {
        let found = paths::confine(given, self.world.folder(), self.world.allowed_folders());
        let looked =
            found
                .map_err(|problem| problem.into_fault(given))
                .and_then(|(path, mut file)| {
                    is_picture(&mut file, given)?;
                    let size = self.world.picture_size(&mut file).map_err(|why| {
                        let name = quoted(&given.to_string_lossy());
                        let says = format!("is {name}, which cannot be read as a picture: {why}");
                        Fault::of_key(Code::NotAPicture, says).hint("was it copied whole?")
                    })?;
                    Ok((path, size))
                });
        looked.map_err(|fault| self.report(key, fault)).ok()
    }

    /// The size of a job that begins from a picture of this size: as asked for; of the picture's
    /// shape, where one side is; else the picture's own, or the extended one's.
    pub(super) fn size_of_init(
        &mut self,
        wishes: &Manifest,
        init: &InitWishes,
        own: Size,
    ) -> Option<Size> {
        if let Some(extend) = init.extend {
            for key in ["width", "height"] {
                if self.manifest.places.contains(key) || self.asked_for(key) {
                    let says = "is given beside an extension, which decides the size";
                    let fault =
                        Fault::of_key(Code::InvalidValue, says).hint("leave one of them out");
                    self.report(key, fault);
                    return None;
                }
            }
            return Some(canvas(extend, own));
        }
        Some(match (wishes.width, wishes.height) {
            (Some(width), Some(height)) => (width, height),
            (Some(width), None) => (width, in_shape(width, own.0, own.1)),
            (None, Some(height)) => (in_shape(height, own.1, own.0), height),
            (None, None) => (down(own.0), down(own.1)),
        })
    }

    /// Whether the wishes themselves, not a template, give a side.
    fn asked_for(&self, key: &str) -> bool {
        match key {
            "width" => self.manifest.width.is_some(),
            _ => self.manifest.height.is_some(),
        }
    }
}

fn is_picture(file: &mut File, given: &Path) -> Result<(), Fault> {
    let name = quoted(&given.to_string_lossy());
    let unreadable = |error| PathProblem::Unreadable(error).into_fault(given);
    let not = |what: &str| Fault::of_key(Code::NotAPicture, format!("is {name}, {what}"));
    let hint = "save it as PNG, JPEG, WebP or TIFF";
    let kind = sniff::sniff(&mut *file).map_err(unreadable)?;
    file.rewind().map_err(unreadable)?;
    match kind {
        Kind::Picture => Ok(()),
        Kind::Empty => Err(not("which is an empty file").hint("was it copied whole?")),
        Kind::OtherPicture(format) => {
            Err(not(&format!("a {format} picture, which is not read")).hint(hint))
        }
        Kind::Json | Kind::Unknown => Err(not("which is not a picture").hint(hint)),
    }
}

/// The extended picture's size: an axis that grows is rounded up to a whole step, so that nothing
/// of the picture is lost; another is rounded down.
fn canvas(extend: Extend, own: Size) -> Size {
    let axis = |side: u32, before: u32, after: u32| match before.saturating_add(after) {
        0 => down(side),
        added => down(side.saturating_add(added).saturating_add(SIDE_STEP - 1)),
    };
    (
        axis(own.0, extend.left, extend.right),
        axis(own.1, extend.top, extend.bottom),
    )
}

fn down(side: u32) -> u32 {
    side - side % SIDE_STEP
}

/// The other side, to the nearest step, of a picture whose sides are as `this` to `other`.
fn in_shape(side: u32, this: u32, other: u32) -> u32 {
    let exact = f64::from(side) * f64::from(other) / f64::from(this.max(1));
    let steps = (exact / f64::from(SIDE_STEP)).round();
    ((steps * f64::from(SIDE_STEP)) as u32).clamp(MIN_SIDE, MAX_SIDE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_axis_that_grows_loses_nothing() {
        let extend = Extend {
            left: 1,
            ..Extend::default()
        };
        assert_eq!(canvas(extend, (100, 100)), (112, 96));
        assert_eq!(canvas(extend, (111, 64)), (112, 64));
        let most = Extend {
            top: u32::MAX,
            ..extend
        };
        assert_eq!(canvas(most, (100, 100)), (112, u32::MAX - 15));
    }

    #[test]
    fn the_other_side_follows_the_shape() {
        assert_eq!(in_shape(512, 1000, 750), 384);
        assert_eq!(in_shape(512, 1000, 760), 384);
        assert_eq!(in_shape(512, 10, 1000), MAX_SIDE);
        assert_eq!(in_shape(64, 1000, 10), MIN_SIDE);
    }
}
