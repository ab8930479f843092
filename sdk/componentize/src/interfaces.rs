//! What a component imports and exports. The import list of a plugin is its permission list.

use wit_component::DecodedWasm;

use crate::Error;

/// The names of what a component imports and exports, each in the order of the component.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interfaces {
    /// What a host must offer, such as `atelier:plugin/log@1.0.0`.
    pub imports: Vec<String>,
    /// What a host may call.
    pub exports: Vec<String>,
}

impl Interfaces {
    /// Reads them from a component.
    ///
    /// # Errors
    ///
    /// [`Error::NotWasm`] where the bytes are not a component.
    pub fn of(component: &[u8]) -> Result<Self, Error> {
        let decoded = wit_component::decode(component)
            .map_err(|error| Error::NotWasm(format!("{error:#}")))?;
        let DecodedWasm::Component(resolve, world) = decoded else {
            return Err(Error::NotWasm("this is a package of interfaces".to_owned()));
        };
        let world = &resolve.worlds[world];
        let imports = world.imports.keys().map(|key| resolve.name_world_key(key));
        let exports = world.exports.keys().map(|key| resolve.name_world_key(key));
        Ok(Self {
            imports: imports.collect(),
            exports: exports.collect(),
        })
    }
}
