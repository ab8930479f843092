//! Reference files to pixels. What comes in is anyone's: sizes are checked before memory is taken.

use std::fs::File;
use std::io::{Cursor, Read};
use std::path::Path;

use image::{DynamicImage, ImageDecoder, ImageReader, Limits};

use crate::fault::{Fault, Stage};

/// The largest reference file that is read, in bytes.
const MAX_FILE: u64 = 512 << 20;
/// The largest side of a reference, in pixels.
const MAX_SIDE: u32 = 32_768;
/// The most memory that decoding may take, in bytes.
const MAX_DECODED: u64 = 1 << 30;

/// Reads a whole reference file.
///
/// # Errors
///
/// When it cannot be read, or is larger than 512 MiB.
pub(super) fn read(path: &Path, number: u32) -> Result<Vec<u8>, Fault> {
    let unreadable = |cause| Fault::io(Stage::Prepare, "reference-unreadable", path, &cause);
    let file = File::open(path).map_err(unreadable)?;
    let mut bytes = Vec::new();
    file.take(MAX_FILE + 1)
        .read_to_end(&mut bytes)
        .map_err(unreadable)?;
    if bytes.len() as u64 > MAX_FILE {
        return Err(Fault::rejected(
            Stage::Prepare,
            "reference-too-large",
            format!("reference {number} is larger than {} MiB", MAX_FILE >> 20),
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
pub(super) fn decode(bytes: &[u8], number: u32) -> Result<(DynamicImage, &'static str), Fault> {
    let refuse = |cause: image::ImageError| {
        Fault::rejected(
            Stage::Prepare,
            "reference-undecodable",
            format!("reference {number} is not a picture that can be read: {cause}"),
        )
        .hint("give a PNG, JPEG, WebP or TIFF; for keypoints add prepare = [{ plugin = \"pose\" }]")
    };
    let mut reader = ImageReader::new(Cursor::new(bytes))
        .with_guessed_format()
        .map_err(|e| refuse(e.into()))?;
    let mut limits = Limits::default();
    limits.max_image_width = Some(MAX_SIDE);
    limits.max_image_height = Some(MAX_SIDE);
    limits.max_alloc = Some(MAX_DECODED);
    reader.limits(limits);
    let media = reader
        .format()
        .map_or("application/octet-stream", |format| format.to_mime_type());
    let mut decoder = reader.into_decoder().map_err(refuse)?;
    let orientation = decoder.orientation().map_err(refuse)?;
    let mut picture = DynamicImage::from_decoder(decoder).map_err(refuse)?;
    picture.apply_orientation(orientation);
    Ok((picture, media))
}
