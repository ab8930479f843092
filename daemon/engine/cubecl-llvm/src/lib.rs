//! What `cubecl-cuda` 0.11.3 names of `cubecl-llvm`, and nothing behind it.
//!
//! The real crate compiles kernels through LLVM, and its build downloads a bundle of LLVM. With CubeCL's
//! feature `cuda-cpp` kernels are compiled by NVRTC instead, and the LLVM path is never taken; yet
//! `cubecl-cuda` depends on this crate all the same. This may go as soon as a release makes that optional.

use cubecl_core::ir::nvidia::SmArch;
use cubecl_core::prelude::KernelDefinition;
use cubecl_runtime::compiler::{CompilationError, Compiler};
use cubecl_runtime::kernel::BufferIOAttr;

/// PTX versions.
pub mod nvptx {
    /// As [`PtxVersion`](ptx_version::PtxVersion) of the real crate.
    pub mod ptx_version {
        use std::fmt;

        /// A version of PTX that LLVM would emit; there is none.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum PtxVersion {}

        impl PtxVersion {
            /// None, whatever the driver.
            pub fn for_driver(_: i32) -> Option<Self> {
                None
            }
        }

        impl fmt::Display for PtxVersion {
            fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
                match *self {}
            }
        }
    }
}

/// Narrowing a device's features to those that LLVM lowers.
pub mod shared {
    /// As the real crate's.
    pub mod lowered_features {
        use cubecl_core::ir::DeviceProperties;

        /// The target that is narrowed for.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum GpuTarget {
            /// NVIDIA's.
            Nvptx,
        }

        /// Leaves all features: only the LLVM path asks.
        pub fn restrict_features(_: &mut DeviceProperties, _: GpuTarget) {}
    }
}

/// What LLVM compiles for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LlvmTarget {
    /// NVIDIA's cards.
    #[default]
    Nvptx,
}

/// A compiler that refuses.
#[derive(Clone, Debug, Default)]
pub struct PlironCompiler {
    /// What it would compile for.
    pub target: LlvmTarget,
}

/// What the real compiler is told.
#[derive(Clone, Debug, Default)]
pub struct PlironOptions {
    /// An AMD architecture; `cubecl-cuda` names none.
    pub arch: Option<std::convert::Infallible>,
    /// An NVIDIA architecture.
    pub sm_arch: Option<SmArch>,
    /// A version of PTX.
    pub ptx_version: Option<nvptx::ptx_version::PtxVersion>,
    /// Whether scalars travel in the parameter block.
    pub grid_constants: bool,
}

/// A compiled module.
#[derive(Clone, Debug)]
pub struct NvptxModule {
    /// PTX assembly, ending in NUL.
    pub ptx: Vec<core::ffi::c_char>,
    /// The symbol to start at.
    pub entrypoint: String,
    /// The intermediate code.
    pub ir: String,
    /// Bytes of shared memory of a launch.
    pub shared_memory_size: usize,
    /// How buffers are used, in order.
    pub io: Vec<BufferIOAttr>,
}

/// What the real compiler makes.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum PlironArtifact {
    /// Code for NVIDIA's cards.
    NvptxCode(NvptxModule),
}

impl Compiler for PlironCompiler {
    type Representation = PlironArtifact;
    type CompilationOptions = PlironOptions;

    fn compile(&mut self, _: KernelDefinition, _: &PlironOptions) -> Result<PlironArtifact, CompilationError> {
        Err(CompilationError::Generic {
            reason: "this program was built without LLVM; kernels are compiled by NVRTC".into(),
            backtrace: cubecl_environment::backtrace::BackTrace::capture(),
        })
    }

    fn extension(&self) -> &'static str {
        "ll"
    }

    fn lang_tag(&self) -> &'static str {
        "llvm"
    }
}

impl std::fmt::Display for PlironArtifact {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self::NvptxCode(module) = self;
        formatter.write_str(&module.ir)
    }
}
