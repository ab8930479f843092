//! Smooth drawing on plain RGBA pixels: what the interface `draw` of `sdk/wit/plugin.wit` promises.
//!
//! The host draws with it for a plugin, and the Rust SDK draws with it in a plugin's native tests,
//! so that a test sees the pixels that a job will have. It knows nothing of either of them.
//!
//! Pixels are RGBA, 8 bits each, not premultiplied, rows top to bottom. Coordinates are pixels:
//! (0, 0) is the top left corner of the surface and (0.5, 0.5) the middle of its first pixel. A
//! shape is laid over what is there by its colour's alpha times the share of each pixel that it
//! covers, and never darkens where it overlaps itself.
//!
//! What it must keep to:
//!
//! - **The same everywhere**: only sums, products, quotients, square roots and comparisons of
//!   64-bit floats, which every machine rounds alike; turns have a sine of their own.
//! - **Bounded work**: no call costs more than its points times the surface's sides, plus its
//!   area; where the coordinates lie makes no difference. A pixel's colour depends on the shape
//!   and its own place only, so a smaller surface shows what a larger one does there.
//!
//! ```
//! use atelier_draw::{Colour, Point, Surface};
//!
//! let mut pixels = vec![0; 16 * 16 * 4];
//! let mut surface = Surface::new(16, 16, &mut pixels).ok_or("the bytes are not 16 × 16 pixels")?;
//! let red = Colour { r: 255, g: 0, b: 0, a: 255 };
//! surface.disc(Point { x: 8.0, y: 8.0 }, 4.0, red)?;
//! assert_eq!(pixels[(8 * 16 + 8) * 4..][..4], [255, 0, 0, 255]);
//! assert_eq!(pixels[..4], [0; 4]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod blend;
mod capsules;
mod corners;
mod oval;
mod refused;
mod surface;
mod turn;

pub use refused::{MOST_POINTS, Undrawable};
pub use surface::{Colour, Point, Surface};

#[cfg(test)]
mod tests;
