//! A preview of a picture at work, as a file that a client on the bus may look at.
//!
//! Nothing leaves Atelier unsigned; a preview is the one exception, and is kept from being taken for
//! a picture: it is an eighth as wide and high, lies in memory that belongs to whoever asked and never
//! in a folder, and says in its XMP that it was made by a model and is not finished. It is not signed
//! because a signature says "this is what was made", and this is not.

use std::io::{Cursor, Seek, Write};

use image::codecs::png::PngEncoder;
use image::{ExtendedColorType, ImageEncoder, RgbImage};
use rustix::fs::{MemfdFlags, SealFlags};

use crate::fault::{Fault, Stage};

/// What the preview says of itself. `Iptc4xmpExt` is the vocabulary that photo programs read it by.
const XMP: &str = concat!(
    r#"<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF "#,
    r#"xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" "#,
    r#"xmlns:dc="http://purl.org/dc/elements/1.1/" "#,
    r#"xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/" "#,
    r#"Iptc4xmpExt:DigitalSourceType="#,
    r#""http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia">"#,
    r#"<dc:description><rdf:Alt><rdf:li xml:lang="x-default">"#,
    "Preview of an unfinished picture that a model is making; not signed",
    "</rdf:li></rdf:Alt></dc:description></rdf:Description></rdf:RDF></x:xmpmeta>",
);
/// The bytes before which a PNG's first chunk ends: signature and IHDR.
const AFTER_HEADER: usize = 8 + 4 + 4 + 13 + 4;

/// The preview as a PNG in memory that can no longer be changed, at its beginning.
///
/// # Errors
///
/// When it cannot be encoded, or the system gives no memory for it.
pub(super) fn file(picture: &RgbImage) -> Result<std::os::fd::OwnedFd, Fault> {
    let failed =
        |cause: std::io::Error| Fault::fatal(Stage::Bus, "preview-unavailable", cause.to_string());
    let bytes = png(picture)?;
    let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
    let memory = rustix::fs::memfd_create("atelier-preview.png", flags)
        .map_err(|errno| failed(errno.into()))?;
    let mut file = std::fs::File::from(memory);
    file.write_all(&bytes).map_err(failed)?;
    file.rewind().map_err(failed)?;
    let seals = SealFlags::SEAL | SealFlags::SHRINK | SealFlags::GROW | SealFlags::WRITE;
    rustix::fs::fcntl_add_seals(&file, seals).map_err(|errno| failed(errno.into()))?;
    Ok(file.into())
}

fn png(picture: &RgbImage) -> Result<Vec<u8>, Fault> {
    let mut bytes = Cursor::new(Vec::new());
    let (width, height) = picture.dimensions();
    PngEncoder::new(&mut bytes)
        .write_image(picture, width, height, ExtendedColorType::Rgb8)
        .map_err(|cause| Fault::fatal(Stage::Bus, "preview-unavailable", cause.to_string()))?;
    let mut bytes = bytes.into_inner();
    bytes.splice(AFTER_HEADER..AFTER_HEADER, text_chunk());
    Ok(bytes)
}

/// An `iTXt` chunk with [`XMP`], as the XMP specification (part 3) lays it out.
fn text_chunk() -> Vec<u8> {
    // Keyword, uncompressed, compression method, no language, no translated keyword.
    let body = [&b"iTXtXML:com.adobe.xmp\0\0\0\0\0"[..], XMP.as_bytes()].concat();
    let length = u32::try_from(body.len() - 4).unwrap_or_default();
    let checksum = crc(&body);
    [&length.to_be_bytes()[..], &body, &checksum.to_be_bytes()].concat()
}

/// The checksum of a PNG chunk (ISO 3309), over its type and its data.
fn crc(bytes: &[u8]) -> u32 {
    let whole = bytes.iter().fold(u32::MAX, |crc, &byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| {
            if crc & 1 == 1 {
                (crc >> 1) ^ 0xedb8_8320
            } else {
                crc >> 1
            }
        })
    });
    !whole
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use std::io::Read;

    use super::*;

    #[test]
    fn the_checksum_is_that_of_an_empty_end_chunk() {
        // Every PNG ends with it.
        assert_eq!(crc(b"IEND"), 0xae42_6082);
    }

    #[test]
    fn a_preview_is_a_png_that_says_what_it_is_and_cannot_be_changed() {
        let picture = RgbImage::from_pixel(16, 12, image::Rgb([9, 80, 200]));
        let mut file = std::fs::File::from(file(&picture).unwrap());
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).unwrap();
        assert_eq!(
            image::load_from_memory(&bytes).unwrap().into_rgb8(),
            picture
        );
        let text = String::from_utf8_lossy(&bytes);
        assert!(text.contains("trainedAlgorithmicMedia") && text.contains("not signed"));
        assert!(file.write_all(b"x").is_err());
        assert!(file.set_len(0).is_err());
    }
}
