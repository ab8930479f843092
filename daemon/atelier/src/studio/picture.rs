//! Picture files to pixels. What comes in is anyone's: sizes are checked before memory is taken.

use std::fmt;
use std::fs::File;
use std::io::{BufRead, BufReader, Cursor, Read, Seek};
use std::path::Path;

use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageError, ImageReader, Limits};

use crate::fault::{Fault, Stage};

/// The largest picture file that is read, in bytes.
const MAX_FILE: u64 = 512 << 20;
/// The largest side of a picture, in pixels.
const MAX_SIDE: u32 = 32_768;
/// The most memory that decoding may take, in bytes.
const MAX_DECODED: u64 = 1 << 30;

/// What a picture is for, as messages and codes call it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Input {
    /// The reference of this number.
    Reference(usize),
    /// What a job begins from.
    Init,
    /// Where that is painted anew.
    Mask,
}

impl Input {
    fn code(self, what: &str) -> String {
        let kind = match self {
            Self::Reference(_) => "reference",
            Self::Init => "init",
            Self::Mask => "mask",
        };
        format!("{kind}-{what}")
    }
}

impl fmt::Display for Input {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Reference(number) => write!(formatter, "reference {number}"),
            Self::Init => formatter.write_str("the picture to begin from"),
            Self::Mask => formatter.write_str("the mask"),
        }
    }
}

/// Reads a whole file.
///
/// # Errors
///
/// When it cannot be read, or is larger than 512 MiB.
pub(super) fn read(path: &Path, input: Input) -> Result<Vec<u8>, Fault> {
    let unreadable = |cause| Fault::io(Stage::Prepare, &input.code("unreadable"), path, &cause);
    let file = File::open(path).map_err(unreadable)?;
    let mut bytes = Vec::new();
    file.take(MAX_FILE + 1)
        .read_to_end(&mut bytes)
        .map_err(unreadable)?;
    if bytes.len() as u64 > MAX_FILE {
        return Err(Fault::rejected(
            Stage::Prepare,
            &input.code("too-large"),
            format!("{input} is larger than {} MiB", MAX_FILE >> 20),
        ));
    }
    Ok(bytes)
}

/// The picture in a file's bytes, upright (EXIF orientation applied), and its media type.
///
/// # Errors
///
/// When the bytes are no picture of a known format, are damaged, or would decode to more than a
/// gibibyte.
pub(super) fn decode(bytes: &[u8], input: Input) -> Result<(DynamicImage, &'static str), Fault> {
    let refuse = |cause: ImageError| {
        let hint = match input {
            Input::Reference(_) => {
                "give a PNG, JPEG, WebP or TIFF; for keypoints add prepare = [{ plugin = \"pose\" }]"
            }
            Input::Init | Input::Mask => "give a PNG, JPEG, WebP or TIFF",
        };
        Fault::rejected(
            Stage::Prepare,
            &input.code("undecodable"),
            format!("{input} is not a picture that can be read: {cause}"),
        )
        .hint(hint)
    };
    let reader = reader(Cursor::new(bytes)).map_err(refuse)?;
    let media = reader
        .format()
        .map_or("application/octet-stream", |format| format.to_mime_type());
    let mut decoder = reader.into_decoder().map_err(refuse)?;
    let orientation = decoder.orientation().map_err(refuse)?;
    let mut picture = DynamicImage::from_decoder(decoder).map_err(refuse)?;
    picture.apply_orientation(orientation);
    Ok((picture, media))
}

/// Width and height of the picture in a file that is open at its beginning, upright; its pixels are
/// not decoded.
///
/// # Errors
///
/// Why it is no picture, in words.
pub(super) fn size(file: &File) -> Result<(u32, u32), String> {
    let look = || {
        let mut decoder = reader(BufReader::new(file))?.into_decoder()?;
        let (width, height) = decoder.dimensions();
        Ok(match decoder.orientation()? {
            Orientation::Rotate90
            | Orientation::Rotate270
            | Orientation::Rotate90FlipH
            | Orientation::Rotate270FlipH => (height, width),
            _ => (width, height),
        })
    };
    look().map_err(|cause: ImageError| cause.to_string())
}

fn reader<R: BufRead + Seek>(source: R) -> Result<ImageReader<R>, ImageError> {
    let mut reader = ImageReader::new(source).with_guessed_format()?;
    let mut limits = Limits::default();
    limits.max_image_width = Some(MAX_SIDE);
    limits.max_image_height = Some(MAX_SIDE);
    limits.max_alloc = Some(MAX_DECODED);
    reader.limits(limits);
    Ok(reader)
}
