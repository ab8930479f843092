//! The two functions through which all pixels pass, with one copy each. What is generated for them makes two: the
//! bytes of a list become a vector of the host's on their way to the picture, and from it.

use bytes::Bytes;
use wasmtime::component::{Linker, Resource, WasmList};
use wasmtime::{Result, StoreContextMut};

use super::{region, told};
use crate::call::Call;
use crate::pictures::{Canvas, Picture};
use crate::v1::bindings::atelier::plugin::pictures::Region;

/// Takes the place of the generated functions.
pub(in crate::v1) fn link(linker: &mut Linker<Call>) -> Result<()> {
    linker.allow_shadowing(true);
    let mut pictures = linker.instance("atelier:plugin/pictures@1.0.0")?;
    pictures.func_wrap("[method]picture.read", read)?;
    pictures.func_wrap("[method]canvas.write", write)?;
    linker.allow_shadowing(false);
    Ok(())
}

fn read(
    call: StoreContextMut<'_, Call>,
    (picture, at): (Resource<Picture>, Region),
) -> Result<(std::result::Result<Bytes, String>,)> {
    Ok((told(call.data().studio.read(&picture, region(at)))?,))
}

fn write(
    mut call: StoreContextMut<'_, Call>,
    (canvas, at, pixels): (Resource<Canvas>, Region, WasmList<u8>),
) -> Result<(std::result::Result<(), String>,)> {
    // The store has both the plugin's memory and the canvas, and lends only one of them at a time.
    let mut held = call.data_mut().studio.lend(&canvas)?;
    let bytes = pixels.as_le_slice(&call);
    let result = call.data().studio.write_on(&mut held, region(at), bytes);
    call.data_mut().studio.give_back(&canvas, held)?;
    Ok((told(result)?,))
}
