//! Our kernels, compiled for the card that is there.
//!
//! They are CUDA C++ that includes no header, so the run-time compiler is all they need. What it makes is kept in
//! a folder, by a digest of everything that it depends on, so that only the first start compiles.

use std::collections::HashMap;
use std::ffi::{CStr, CString};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use cudarc::driver::sys::CUdevice_attribute_enum::CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN;
use cudarc::driver::sys::CUfunction_attribute_enum::CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES;
use cudarc::driver::{CudaContext, CudaFunction, CudaModule};
use cudarc::nvrtc::{Ptx, result, sys};
use sha2::{Digest, Sha256};

use super::fault::failed;
use super::version::Version;
use crate::error::EngineError;
use crate::step::call::{Call, SMALL_TILES, Unit};

const DEVICE: &str = include_str!("../../kernels/device.cuh");
const TENSOR: &str = include_str!("../../kernels/tensor.cuh");
const ROWS: &str = include_str!("../../kernels/rows.cu");
const HEADS: &str = include_str!("../../kernels/heads.cu");
const VECTOR: &str = include_str!("../../kernels/vector.cu");
const GEMM: &str = include_str!("../../kernels/gemm.cu");
const PICTURE: &str = include_str!("../../kernels/picture.cu");
const ATTENTION: &str = include_str!("../../kernels/attention.cu");

/// The kernels of a card.
#[derive(Debug)]
pub(super) struct Kernels {
    context: Arc<CudaContext>,
    capability: Version,
    folder: Option<PathBuf>,
    modules: Mutex<HashMap<Unit, Arc<CudaModule>>>,
    functions: Mutex<HashMap<(Unit, &'static str), CudaFunction>>,
}

impl Kernels {
    /// Compiles nothing yet.
    pub(super) fn new(
        context: &Arc<CudaContext>,
        capability: Version,
        folder: Option<PathBuf>,
    ) -> Self {
        Self {
            context: Arc::clone(context),
            capability,
            folder,
            modules: Mutex::default(),
            functions: Mutex::default(),
        }
    }

    /// The function for a call, ready for as much shared memory as there is.
    pub(super) fn function(&self, call: &Call) -> Result<CudaFunction, EngineError> {
        let key = (call.unit, call.kernel);
        let mut functions = self
            .functions
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(function) = functions.get(&key) {
            return Ok(function.clone());
        }
        let module = self.module(call.unit)?;
        let function = module
            .load_function(call.kernel)
            .map_err(failed(call.kernel))?;
        // Whatever this call takes: a later one of the same kernel may take more, and what may be taken without
        // asking for it is less by what the kernel declares.
        let most = self
            .context
            .attribute(CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN)
            .map_err(failed(call.kernel))?;
        let declared = function.shared_size_bytes().map_err(failed(call.kernel))?;
        let attribute = CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES;
        function
            .set_attribute(attribute, most - declared)
            .map_err(failed(call.kernel))?;
        functions.insert(key, function.clone());
        Ok(function)
    }

    fn module(&self, unit: Unit) -> Result<Arc<CudaModule>, EngineError> {
        let mut modules = self.modules.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(module) = modules.get(&unit) {
            return Ok(Arc::clone(module));
        }
        let source = source(unit);
        let form = Form::of(self.capability, &known()).ok_or_else(|| EngineError::Compute {
            reason: format!(
                "the run-time compiler knows no card like this one, {}",
                self.capability
            ),
        })?;
        let options = options(unit, form);
        let file = self
            .folder
            .as_ref()
            .map(|folder| folder.join(name(&source, &options)));
        let kept = file.as_ref().and_then(|file| fs::read(file).ok());
        let module = match kept.and_then(|code| self.load(code).ok()) {
            Some(module) => module,
            None => {
                let code = compile(unit, &source, &options, form)?;
                if let Some(file) = &file {
                    keep(file, &code);
                }
                self.load(code)?
            }
        };
        modules.insert(unit, Arc::clone(&module));
        Ok(module)
    }

    fn load(&self, code: Vec<u8>) -> Result<Arc<CudaModule>, EngineError> {
        let module = self.context.load_module(Ptx::from_binary(code));
        module.map_err(failed("loading kernels"))
    }
}

/// The text of a unit.
pub(super) fn source(unit: Unit) -> String {
    let parts: &[&str] = match unit {
        Unit::Rows => &[DEVICE, ROWS],
        Unit::Heads => &[DEVICE, HEADS],
        Unit::Vector => &[DEVICE, VECTOR],
        Unit::Gemm => &[DEVICE, TENSOR, GEMM],
        Unit::Picture => &[DEVICE, PICTURE],
        Unit::Attention(_) | Unit::SmallAttention(_) => &[DEVICE, TENSOR, ATTENTION],
    };
    parts.join("\n")
}

/// What a compiler is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// The card's own code, for this number of architecture.
    Code(u32),
    /// Text that the driver translates, where the card is newer than the compiler.
    Text(u32),
}

impl Form {
    /// The best that a compiler of these architectures, such as 89, makes for a card.
    fn of(capability: Version, known: &[u32]) -> Option<Self> {
        let own = 10 * capability.major + capability.minor;
        if known.contains(&own) {
            return Some(Self::Code(own));
        }
        let older = known.iter().copied().filter(|&known| known < own).max()?;
        // Code of an older minor runs too, but without what the newer one can do.
        Some(Self::Text(older))
    }
}

/// The architectures that the compiler knows.
fn known() -> Vec<u32> {
    let mut count = 0;
    // SAFETY: the count outlives the call; the library is there, or no card would have been opened.
    if unsafe { sys::nvrtcGetNumSupportedArchs(&raw mut count) }
        .result()
        .is_err()
    {
        return Vec::new();
    }
    let mut known = vec![0; count.unsigned_abs() as usize];
    // SAFETY: the buffer is as long as was just said.
    if unsafe { sys::nvrtcGetSupportedArchs(known.as_mut_ptr()) }
        .result()
        .is_err()
    {
        return Vec::new();
    }
    known.into_iter().map(i32::unsigned_abs).collect()
}

fn options(unit: Unit, form: Form) -> Vec<String> {
    let architecture = match form {
        Form::Code(number) => format!("sm_{number}"),
        Form::Text(number) => format!("compute_{number}"),
    };
    let mut options = vec![
        format!("--gpu-architecture={architecture}"),
        "--std=c++17".into(),
    ];
    if let Unit::Attention(width) | Unit::SmallAttention(width) = unit {
        options.push(format!("-DHEAD_WIDTH={width}"));
    }
    if let Unit::SmallAttention(_) = unit {
        let [keys, stages] = SMALL_TILES;
        options.push(format!("-DATTEND_KEYS={keys}"));
        options.push(format!("-DATTEND_STAGES={stages}"));
    }
    options
}

/// The name of a unit's code among kept ones.
fn name(source: &str, options: &[String]) -> String {
    let (mut major, mut minor) = (0, 0);
    // SAFETY: both numbers outlive the call; the library is there, or no card would have been opened.
    let _ = unsafe { sys::nvrtcVersion(&raw mut major, &raw mut minor) };
    let compiler = format!("nvrtc {major}.{minor}");
    format!("{}.cubin", digest(&[source, &options.join(" "), &compiler]))
}

/// The name of these kernels with what else they depend on.
pub(crate) fn edition(with: &[&str]) -> String {
    let kernels = [
        DEVICE, TENSOR, ROWS, HEADS, VECTOR, GEMM, PICTURE, ATTENTION,
    ];
    digest(&[&kernels, with].concat())
}

fn digest(parts: &[&str]) -> String {
    let mut digest = Sha256::new();
    for part in parts {
        digest.update(part.len().to_le_bytes());
        digest.update(part);
    }
    digest
        .finalize()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// Keeps code for the next start. That it cannot be kept costs that start some seconds, and nobody a picture.
fn keep(file: &Path, code: &[u8]) {
    let write = || {
        let folder = file.parent().unwrap_or(Path::new("."));
        fs::create_dir_all(folder)?;
        // Renamed when it is whole: another process may be reading.
        let part = file.with_extension(format!("{}.part", std::process::id()));
        fs::write(&part, code)?;
        fs::rename(&part, file)
    };
    if let Err(error) = write() {
        tracing::warn!(%error, file = %file.display(), "compiled kernels were not kept");
    }
}

/// Compiles a unit to the card's own code.
fn compile(
    unit: Unit,
    source: &str,
    options: &[String],
    form: Form,
) -> Result<Vec<u8>, EngineError> {
    let failure = |reason: String| EngineError::Compute {
        reason: format!("the kernels {unit:?} do not compile: {reason}"),
    };
    let text = CString::new(source).map_err(|error| failure(error.to_string()))?;
    let program =
        result::create_program(&text, None).map_err(|error| failure(error.to_string()))?;
    // SAFETY: the program was just created, and is destroyed once, below.
    let compiled = unsafe { result::compile_program(program, options) };
    let code = match compiled {
        Ok(()) => code(program, form).map_err(|error| failure(error.to_string())),
        Err(error) => {
            // SAFETY: as above.
            let log = unsafe { result::get_program_log(program) }.unwrap_or_default();
            let log: Vec<u8> = log.into_iter().map(i8::cast_unsigned).collect();
            let log = CStr::from_bytes_until_nul(&log).unwrap_or_default();
            Err(failure(format!("{error}\n{}", log.to_string_lossy())))
        }
    };
    // SAFETY: created above, and not used after this.
    if let Err(error) = unsafe { result::destroy_program(program) } {
        tracing::debug!(%error, "a program of the compiler was not destroyed");
    }
    code
}

/// What a compiled program became.
fn code(program: sys::nvrtcProgram, form: Form) -> Result<Vec<u8>, result::NvrtcError> {
    if matches!(form, Form::Text(_)) {
        // SAFETY: the program is compiled.
        let text = unsafe { result::get_ptx(program) }?;
        return Ok(text.into_iter().map(i8::cast_unsigned).collect());
    }
    let mut bytes = 0;
    // SAFETY: the program is compiled; the size outlives the call.
    unsafe { sys::nvrtcGetCUBINSize(program, &raw mut bytes) }.result()?;
    let mut code = vec![0_u8; bytes];
    // SAFETY: the buffer is as long as was just said.
    unsafe { sys::nvrtcGetCUBIN(program, code.as_mut_ptr().cast()) }.result()?;
    Ok(code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_card_gets_its_own_code_or_text_of_the_newest_before_it() {
        let known = [75, 80, 86, 89, 90];
        let of = |major, minor| Form::of(Version::new(major, minor), &known);
        assert_eq!(of(8, 9), Some(Form::Code(89)));
        assert_eq!(of(9, 0), Some(Form::Code(90)));
        assert_eq!(of(12, 0), Some(Form::Text(90)));
        assert_eq!(of(8, 7), Some(Form::Text(86)));
        assert_eq!(of(7, 0), None);
    }

    #[test]
    fn kept_code_is_found_only_by_what_made_it() {
        let of = |unit, form| (source(unit), options(unit, form));
        let all = [
            of(Unit::Rows, Form::Code(89)),
            of(Unit::Rows, Form::Code(90)),
            of(Unit::Rows, Form::Text(90)),
            of(Unit::Gemm, Form::Code(89)),
            of(Unit::Attention(64), Form::Code(89)),
            of(Unit::Attention(128), Form::Code(89)),
            of(Unit::SmallAttention(128), Form::Code(89)),
        ];
        let digests: std::collections::BTreeSet<_> = all
            .iter()
            .map(|(source, options)| digest(&[source, &options.join(" "), "nvrtc 12.8"]))
            .collect();
        assert_eq!(digests.len(), all.len());
        assert_ne!(digest(&["a", "b", "12.8"]), digest(&["a", "b", "12.9"]));
        assert_ne!(digest(&["a", "bc"]), digest(&["ab", "c"]));
    }
}
