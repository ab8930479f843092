//! Plugins in Python: until its toolchain is here, a refusal that says so.

use crate::project::Project;
use crate::{BuildError, BuildOptions};

/// Makes a component of `plugin.py`, for the world of [`crate::world`].
///
/// # Errors
///
/// [`BuildError::Language`].
pub(crate) fn component(
    _project: &Project,
    _options: &BuildOptions,
) -> Result<Vec<u8>, BuildError> {
    Err(BuildError::Language("Python"))
}
