//! What a plugin of version 1 can call. A request that cannot be met is answered with a sentence
//! that the plugin can pass on; only a handle that means nothing stops it.

use wasmtime::Result;
use wasmtime::component::Resource;

use super::bindings::atelier::plugin::{infer, log, pictures, random, settings};
use crate::call::Call;
use crate::pictures::{Canvas, Picture, PictureError};
use crate::region::Region;
use crate::speech::Level;
use crate::tensor::{Numbers, Tensor, Trouble};

mod draw;
mod transfer;

pub(super) use transfer::link as link_transfers;

/// An error as the plugin hears it, or the end of the call.
fn told<T>(result: Result<T, PictureError>) -> Result<Result<T, String>> {
    match result {
        Ok(value) => Ok(Ok(value)),
        Err(error @ PictureError::Handle(_)) => Err(error.into()),
        Err(error) => Ok(Err(error.to_string())),
    }
}

fn size((width, height): (u32, u32)) -> pictures::Size {
    pictures::Size { width, height }
}

fn region(at: pictures::Region) -> Region {
    let pictures::Region {
        x,
        y,
        width,
        height,
    } = at;
    Region {
        x,
        y,
        width,
        height,
    }
}

impl pictures::Host for Call {}

impl pictures::HostPicture for Call {
    fn size(&mut self, picture: Resource<Picture>) -> Result<pictures::Size> {
        Ok(size(self.studio.picture_size(&picture)?))
    }

    fn read(
        &mut self,
        picture: Resource<Picture>,
        at: pictures::Region,
    ) -> Result<Result<Vec<u8>, String>> {
        Ok(told(self.studio.read(&picture, region(at)))?.map(|bytes| bytes.to_vec()))
    }

    fn format(&mut self, picture: Resource<Picture>) -> Result<Option<String>> {
        Ok(self.studio.format(&picture)?)
    }

    fn resized(
        &mut self,
        picture: Resource<Picture>,
        to: pictures::Size,
    ) -> Result<Result<Resource<Picture>, String>> {
        told(self.studio.resized(&picture, to.width, to.height))
    }

    fn drop(&mut self, picture: Resource<Picture>) -> Result<()> {
        Ok(self.studio.drop_picture(picture)?)
    }
}

impl pictures::HostCanvas for Call {
    fn create(&mut self, of: pictures::Size) -> Result<Result<Resource<Canvas>, String>> {
        told(self.studio.create(of.width, of.height))
    }

    fn size(&mut self, canvas: Resource<Canvas>) -> Result<pictures::Size> {
        Ok(size(self.studio.canvas_size(&canvas)?))
    }

    fn write(
        &mut self,
        canvas: Resource<Canvas>,
        at: pictures::Region,
        pixels: Vec<u8>,
    ) -> Result<Result<(), String>> {
        told(self.studio.write(&canvas, region(at), &pixels))
    }

    fn fill(
        &mut self,
        canvas: Resource<Canvas>,
        at: pictures::Region,
        (r, g, b, a): (u8, u8, u8, u8),
    ) -> Result<Result<(), String>> {
        told(self.studio.fill(&canvas, region(at), [r, g, b, a]))
    }

    fn paste(
        &mut self,
        canvas: Resource<Canvas>,
        source: Resource<Picture>,
        x: i32,
        y: i32,
    ) -> Result<()> {
        Ok(self.studio.paste(&canvas, &source, x, y)?)
    }

    fn snapshot(&mut self, canvas: Resource<Canvas>) -> Result<Result<Resource<Picture>, String>> {
        told(self.studio.snapshot(&canvas))
    }

    fn drop(&mut self, canvas: Resource<Canvas>) -> Result<()> {
        self.studio.take(canvas).map(drop).map_err(Into::into)
    }
}

impl log::Host for Call {
    fn write(&mut self, level: log::Level, line: String) -> Result<()> {
        let level = match level {
            log::Level::Debug => Level::Debug,
            log::Level::Info => Level::Info,
            log::Level::Warn => Level::Warn,
            log::Level::Error => Level::Error,
        };
        Ok(self.voice.line(level, &line)?)
    }

    fn progress(&mut self, fraction: f32) -> Result<()> {
        self.voice.progress(fraction);
        Ok(())
    }
}

impl infer::Host for Call {
    fn run(
        &mut self,
        model: String,
        inputs: Vec<infer::Tensor>,
    ) -> Result<Result<Vec<infer::Tensor>, infer::Trouble>> {
        let inputs = inputs.into_iter().map(lowered).collect();
        let end = &self.end;
        let answer = self.reach.infer(&model, inputs, &|| end.is_reached());
        Ok(answer
            .map(|outputs| outputs.into_iter().map(lifted).collect())
            .map_err(|trouble| match trouble {
                Trouble::Denied(sentence) => infer::Trouble::Denied(sentence),
                Trouble::Missing(sentence) => infer::Trouble::Missing(sentence),
                Trouble::Input(sentence) => infer::Trouble::Input(sentence),
                Trouble::Failed(sentence) => infer::Trouble::Failed(sentence),
            }))
    }
}

fn lowered(tensor: infer::Tensor) -> Tensor {
    Tensor {
        name: tensor.name,
        shape: tensor.shape,
        numbers: match tensor.numbers {
            infer::Numbers::Floats(numbers) => Numbers::Floats(numbers),
            infer::Numbers::Integers(numbers) => Numbers::Integers(numbers),
            infer::Numbers::Bytes(numbers) => Numbers::Bytes(numbers),
        },
    }
}

fn lifted(tensor: Tensor) -> infer::Tensor {
    infer::Tensor {
        name: tensor.name,
        shape: tensor.shape,
        numbers: match tensor.numbers {
            Numbers::Floats(numbers) => infer::Numbers::Floats(numbers),
            Numbers::Integers(numbers) => infer::Numbers::Integers(numbers),
            Numbers::Bytes(numbers) => infer::Numbers::Bytes(numbers),
        },
    }
}

impl random::Host for Call {
    fn bytes(&mut self, count: u32) -> Result<Result<Vec<u8>, String>> {
        Ok(self.reach.random(count))
    }
}

impl settings::Host for Call {
    fn get(&mut self, key: String) -> Result<Result<Option<String>, String>> {
        Ok(self.reach.setting(&key))
    }
}
