//! What a job may say, as `parameters.schema.json` describes it.

use atelier_plugin::Within;
use serde::Deserialize;

/// The parameters of a job's `prepare` entry.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Parameters {
    /// How much of the colour goes, in percent.
    #[serde(default = "all")]
    pub strength: Within<0, 100>,
}

fn all() -> Within<0, 100> {
    Within::new(100).expect("100 is in bounds")
}
