//! What the author of an Atelier plugin imports.
//!
//! A plugin is a WebAssembly component: the host hands it the pictures or the document of one
//! reference, it hands back the pictures that the model shall see. This crate hides the component
//! model's bindings behind one trait, [`Plugin`], and one macro, [`export!`].
//!
//! The same code runs in two places. In a component, [`Picture`] and [`Canvas`] are handles to
//! pictures that live in the host. In `cargo test`, on the author's machine, they are plain
//! memory, so a test calls `prepare` as the host would and looks at the pixels.
//!
//! The crate gives a plugin nothing that the host does not: no files, no network, no clock. It
//! must never hide a host's refusal; each one is an error with the host's own sentence. What a
//! plugin does not use is not among its component's imports: [`infer`], [`random`] and
//! [`settings`] are there for all, and only who calls them has to ask for them in its
//! `plugin.toml`.
//!
//! ```
//! use atelier_plugin::{Canvas, Description, Failure, Outcome, Picture, Plugin, Region};
//! use atelier_plugin::{Request, Size, SourceKind};
//!
//! /// Puts the reference on a square of one grey.
//! struct Mat;
//!
//! #[derive(serde::Deserialize)]
//! #[serde(deny_unknown_fields)]
//! struct Parameters {
//!     #[serde(default)]
//!     grey: u8,
//! }
//!
//! impl Plugin for Mat {
//!     fn describe() -> Description {
//!         Description::new("mat", "1.0.0", "Puts a picture on a grey square.")
//!             .takes([SourceKind::Picture])
//!             .parameters(r#"{ "type": "object", "properties": {
//!                 "grey": { "type": "integer", "minimum": 0, "maximum": 255, "default": 0 }
//!             } }"#)
//!     }
//!
//!     fn prepare(request: Request) -> Result<Outcome, Failure> {
//!         let Parameters { grey } = request.parameters()?;
//!         let picture = request.only_picture()?;
//!         let Size { width, height } = picture.size();
//!         let side = width.max(height);
//!         let canvas = Canvas::new(Size::new(side, side))?;
//!         canvas.fill(Region::whole(canvas.size()), [grey, grey, grey, 255])?;
//!         canvas.paste(picture, ((side - width) / 2) as i32, ((side - height) / 2) as i32);
//!         Ok(Outcome::picture(canvas).note("grey", grey.to_string()))
//!     }
//! }
//!
//! atelier_plugin::export!(Mat);
//!
//! # fn main() -> Result<(), Failure> {
//! // A test, natively: white on grey.
//! let white = Picture::from_rgba(Size::new(1, 3), vec![255; 12])?;
//! let made = Mat::prepare(Request::of_picture(white, r#"{ "grey": 7 }"#, Size::new(64, 64)))?;
//! assert_eq!(made.pictures[0].size(), Size::new(3, 3));
//! assert_eq!(made.pictures[0].rgba()[..8], [7, 7, 7, 255, 255, 255, 255, 255]);
//! # Ok(())
//! # }
//! ```

#[cfg(target_arch = "wasm32")]
#[doc(hidden)]
pub mod component;
mod description;
mod draw;
mod geometry;
pub mod infer;
pub mod log;
#[cfg(not(target_arch = "wasm32"))]
mod memory;
mod outcome;
mod parameters;
mod picture;
pub mod random;
mod request;
#[cfg(not(target_arch = "wasm32"))]
mod resample;
pub mod settings;
mod within;

pub use description::{Description, SourceKind};
pub use draw::{Frame, Point};
pub use geometry::{Region, Size};
pub use outcome::{Failure, Note, Outcome};
pub use picture::{Canvas, Picture, Refused};
pub use request::{Request, Source};
pub use within::{Decimal, Within};

/// What a plugin does. Implement it on a unit struct and name that to [`export!`].
pub trait Plugin {
    /// Says what the plugin is. It is asked at installation and by `atelier plugin list`, so it
    /// should do nothing but answer.
    fn describe() -> Description;

    /// Does the work, on a fresh instance for every reference.
    ///
    /// # Errors
    ///
    /// A [`Failure`] whose message the user reads as it is. The job then fails and names the
    /// plugin; a panic does the same, with the panic's message in the job's log.
    fn prepare(request: Request) -> Result<Outcome, Failure>;
}

/// Makes a type that implements [`Plugin`] the plugin of this component.
///
/// Name it once, at the top level of the crate. Off WebAssembly it only checks the type.
#[macro_export]
macro_rules! export {
    ($plugin:ty) => {
        const _: fn() -> $crate::Description = <$plugin as $crate::Plugin>::describe;

        #[cfg(target_arch = "wasm32")]
        const _: () = {
            type Component = $crate::component::Adapter<$plugin>;
    $crate::component::export_component!(Component with_types_in $crate::component);
        };
    };
}

/// The README's example, compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
