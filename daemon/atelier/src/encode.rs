//! Pixels to the bytes of a file. Metadata is not written here: what a picture says of itself is
//! its signed provenance, added by the next stage.

use std::io::Cursor;

use atelier_manifest::{Format, Output};
use image::codecs::{jpeg::JpegEncoder, png, tiff::TiffEncoder, webp::WebPEncoder};
use image::{ExtendedColorType, ImageEncoder, RgbImage};

use crate::fault::{Fault, Stage};

/// The formats that this build writes.
pub(crate) const FORMATS: &[Format] = &[Format::Png, Format::Jpeg, Format::Webp, Format::Tiff];

/// Encodes a picture in the format and quality that the job asks for. PNG, WebP and TIFF are
/// lossless; quality is JPEG's, 1 to 100.
///
/// # Errors
///
/// When the encoder refuses (more pixels than the format holds), or the format is not built in.
pub(crate) fn encode(picture: &RgbImage, output: &Output) -> Result<Vec<u8>, Fault> {
    let mut bytes = Cursor::new(Vec::new());
    let (width, height) = picture.dimensions();
    let colour = ExtendedColorType::Rgb8;
    let written = match output.format {
        Format::Png => png::PngEncoder::new_with_quality(
            &mut bytes,
            // The default filter search costs more than the signing and saves little on photographs.
            png::CompressionType::Fast,
            png::FilterType::Adaptive,
        )
        .write_image(picture, width, height, colour),
        Format::Jpeg => JpegEncoder::new_with_quality(&mut bytes, output.quality)
            .write_image(picture, width, height, colour),
        Format::Webp => {
            WebPEncoder::new_lossless(&mut bytes).write_image(picture, width, height, colour)
        }
        Format::Tiff => TiffEncoder::new(&mut bytes).write_image(picture, width, height, colour),
        other => {
            return Err(Fault::rejected(
                Stage::Encode,
                "format-unavailable",
                format!("this build writes png, jpeg, webp and tiff, not {other}"),
            ));
        }
    };
    written.map_err(|cause| Fault::fatal(Stage::Encode, "encode-failed", cause.to_string()))?;
    Ok(bytes.into_inner())
}
