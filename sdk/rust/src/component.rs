//! The component's side: bindings made from `sdk/wit/plugin.wit`, and the translation between
//! their types and this crate's.
//!
//! Only built for WebAssembly, and only [`export!`](crate::export) may name it: what is in here
//! changes with the bindings generator.

mod asking;
mod handles;

use std::marker::PhantomData;

use crate::log::Level;
use crate::{Description, Failure, Outcome, Plugin, Region, Request, Size, Source, SourceKind};

pub(crate) use asking::{random_bytes, run, setting};
pub(crate) use handles::{Canvas, Picture};

/// What the bindings generator made: of all that there is, whoever asks for it. The linker leaves
/// out what a plugin does not use, and a component imports what is left.
#[allow(
    missing_docs,
    unsafe_code,
    unreachable_pub,
    reason = "generated: its documents are plugin.wit's, and the component model's ABI is raw memory"
)]
mod bindings {
    wit_bindgen::generate!({
        path: "../wit",
        world: "asking-plugin",
        pub_export_macro: true,
        export_macro_name: "export_component",
    });
}

use bindings::atelier::plugin::{log, pictures};
pub use bindings::export_component;
pub use bindings::exports;
use bindings::exports::atelier::plugin::preparer;

/// Makes a [`Plugin`] what the bindings want.
#[derive(Debug)]
pub struct Adapter<P>(PhantomData<P>);

impl<P: Plugin> preparer::Guest for Adapter<P> {
    fn describe() -> preparer::Description {
        crate::log::report_panics();
        P::describe().into()
    }

    fn prepare(request: preparer::Request) -> Result<preparer::Outcome, preparer::Failure> {
        crate::log::report_panics();
        match P::prepare(request.into()) {
            Ok(outcome) => Ok(outcome.into()),
            Err(failure) => Err(failure.into()),
        }
    }
}

pub(crate) fn write_log(level: Level, line: &str) {
    let level = match level {
        Level::Debug => log::Level::Debug,
        Level::Info => log::Level::Info,
        Level::Warn => log::Level::Warn,
        Level::Error => log::Level::Error,
    };
    log::write(level, line);
}

pub(crate) fn show_progress(fraction: f32) {
    log::progress(fraction);
}

impl From<pictures::Size> for Size {
    fn from(size: pictures::Size) -> Self {
        Self::new(size.width, size.height)
    }
}

impl From<Size> for pictures::Size {
    fn from(Size { width, height }: Size) -> Self {
        Self { width, height }
    }
}

impl From<Region> for pictures::Region {
    fn from(region: Region) -> Self {
        let Region {
            x,
            y,
            width,
            height,
        } = region;
        Self {
            x,
            y,
            width,
            height,
        }
    }
}

impl From<Description> for preparer::Description {
    fn from(description: Description) -> Self {
        let takes = description.takes.into_iter().map(|kind| match kind {
            SourceKind::Picture => preparer::SourceKind::Picture,
            SourceKind::Document => preparer::SourceKind::Document,
        });
        Self {
            takes: takes.collect(),
            name: description.name,
            version: description.version,
            summary: description.summary,
            parameters: description.parameters,
        }
    }
}

impl From<preparer::Request> for Request {
    fn from(request: preparer::Request) -> Self {
        let sources = request.sources.into_iter().map(|source| match source {
            preparer::Source::Picture(picture) => {
                Source::Picture(crate::Picture(Picture::of(picture)))
            }
            preparer::Source::Document(text) => Source::Document(text),
        });
        Self::new(sources.collect(), request.parameters, request.output.into())
    }
}

impl From<Outcome> for preparer::Outcome {
    fn from(outcome: Outcome) -> Self {
        let notes = outcome.notes.into_iter().map(|note| preparer::Note {
            key: note.key,
            value: note.value,
        });
        Self {
            pictures: outcome
                .pictures
                .into_iter()
                .map(|canvas| canvas.0.into_handle())
                .collect(),
            prompt: outcome.prompt,
            keypoints: outcome.keypoints,
            notes: notes.collect(),
        }
    }
}

impl From<Failure> for preparer::Failure {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Parameter { name, message } => Self::Parameter((name, message)),
            Failure::Source(message) => Self::Source(message),
            Failure::Other(message) => Self::Other(message),
        }
    }
}
