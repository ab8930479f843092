//! Products, by whoever is fastest at each size.
//!
//! NVIDIA's cuBLASLt is asked for its candidates, if it is installed, and our own kernel is one more. The first
//! time that a size comes up all of them are timed on the very operands, and the fastest is kept. Without the
//! library our kernel does everything, so nothing but speed depends on it.

use std::collections::HashMap;
use std::ffi::c_void;
use std::sync::{Mutex, PoisonError};

use cudarc::cublaslt::result::{self, CublasError};
use cudarc::cublaslt::sys;

use super::kernels::Kernels;
use super::memory::Memory;
use super::queue::Queue;
use crate::error::EngineError;
use crate::step::call::Call;
use crate::step::place::Kind;

/// Memory that cuBLASLt's kernels may work in: what its guide names for Hopper, and more than enough before.
const WORKSPACE: usize = 32 << 20;
/// Candidates that are asked for.
const CANDIDATES: usize = 6;
/// How often each is timed; the least counts.
const ROUNDS: usize = 3;

/// The sizes and kinds of a product.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Shape {
    pub(super) rows: usize,
    pub(super) outputs: usize,
    pub(super) inputs: usize,
    pub(super) operands: Kind,
    pub(super) out: Kind,
}

/// Addresses of a product's operands and output.
#[derive(Debug, Clone, Copy)]
pub(super) struct Places {
    pub(super) a: u64,
    pub(super) b: u64,
    pub(super) out: u64,
}

/// What computes products on a card.
#[derive(Debug)]
pub(super) struct Products {
    library: Option<Library>,
    chosen: Mutex<HashMap<Shape, Choice>>,
}

/// Who computes a product.
#[derive(Debug)]
enum Choice {
    Ours,
    Theirs(Plan),
}

impl Products {
    /// With cuBLASLt if it can be loaded.
    pub(super) fn new(queue: &Queue) -> Self {
        let library = Library::load(queue);
        tracing::debug!(found = library.is_some(), "cuBLASLt");
        Self {
            library,
            chosen: Mutex::default(),
        }
    }

    /// With our own kernel for everything.
    pub(super) fn ours() -> Self {
        Self {
            library: None,
            chosen: Mutex::default(),
        }
    }

    /// Puts a product on the queue; `ours` is the call of our kernel for it.
    pub(super) fn run(
        &self,
        queue: &Queue,
        kernels: &Kernels,
        shape: Shape,
        places: Places,
        ours: &Call,
    ) -> Result<(), EngineError> {
        let by_us = || queue.launch(&kernels.function(ours)?, ours);
        let Some(library) = &self.library else {
            return by_us();
        };
        let mut chosen = self.chosen.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(choice) = chosen.get_mut(&shape) {
            if let Choice::Theirs(plan) = choice {
                match library.run(queue, plan, places) {
                    Ok(()) => return Ok(()),
                    Err(error) => tracing::warn!(%error, ?shape, "our kernel takes the place"),
                }
                *choice = Choice::Ours;
            }
            return by_us();
        }
        let (choice, milliseconds) = fastest(queue, library, shape, places, &by_us)?;
        tracing::debug!(
            ?shape,
            milliseconds,
            ours = matches!(choice, Choice::Ours),
            "product"
        );
        chosen.insert(shape, choice);
        Ok(())
    }
}

/// Times all candidates; the product of the fastest is there afterwards.
fn fastest(
    queue: &Queue,
    library: &Library,
    shape: Shape,
    places: Places,
    by_us: &dyn Fn() -> Result<(), EngineError>,
) -> Result<(Choice, f32), EngineError> {
    let time = |act: &dyn Fn() -> Result<(), EngineError>| {
        // The first run loads what the others find loaded.
        act()?;
        queue.finish()?;
        let mut least = f32::INFINITY;
        for _ in 0..ROUNDS {
            least = least.min(queue.time(act)?);
        }
        Ok::<_, EngineError>(least)
    };
    let mut best = (Choice::Ours, time(by_us)?);
    for plan in library.plans(shape) {
        // That a candidate does not run is no fault of the picture.
        match time(&|| library.run(queue, &plan, places)) {
            Ok(milliseconds) if milliseconds < best.1 => {
                best = (Choice::Theirs(plan), milliseconds)
            }
            Ok(_) => {}
            Err(error) => tracing::debug!(%error, ?shape, "a candidate of cuBLASLt failed"),
        }
    }
    // The last candidate may have summed in another order, or have written only a part.
    match &best.0 {
        Choice::Ours => by_us()?,
        Choice::Theirs(plan) => library.run(queue, plan, places)?,
    }
    Ok(best)
}

/// cuBLASLt, loaded.
#[derive(Debug)]
struct Library {
    handle: sys::cublasLtHandle_t,
    workspace: Memory,
}

// SAFETY: its guide says that a handle may be used from any thread.
unsafe impl Send for Library {}
// SAFETY: as above; the workspace is used by what is on one queue, one after another.
unsafe impl Sync for Library {}

impl Drop for Library {
    fn drop(&mut self) {
        // SAFETY: created in `load`, destroyed once.
        if let Err(error) = unsafe { result::destroy_handle(self.handle) } {
            tracing::debug!(%error, "cuBLASLt was not closed");
        }
    }
}

/// A product as one of its kernels computes it.
#[derive(Debug)]
struct Plan {
    description: sys::cublasLtMatmulDesc_t,
    a: sys::cublasLtMatrixLayout_t,
    b: sys::cublasLtMatrixLayout_t,
    out: sys::cublasLtMatrixLayout_t,
    algorithm: sys::cublasLtMatmulAlgo_t,
}

// SAFETY: descriptions are plain memory of the host, read only.
unsafe impl Send for Plan {}

impl Drop for Plan {
    fn drop(&mut self) {
        // SAFETY: each was created for this plan, and is destroyed once.
        let ends = unsafe {
            [
                result::destroy_matmul_desc(self.description),
                result::destroy_matrix_layout(self.a),
                result::destroy_matrix_layout(self.b),
                result::destroy_matrix_layout(self.out),
            ]
        };
        debug_assert!(ends.iter().all(Result::is_ok), "descriptions are destroyed");
    }
}

impl Library {
    fn load(queue: &Queue) -> Option<Self> {
        // SAFETY: it only tries to load the library, by its names.
        if !unsafe { sys::is_culib_present() } {
            return None;
        }
        let context = queue.stream().context();
        let workspace = Memory::new(context, WORKSPACE, "the products' workspace").ok()?;
        let handle = result::create_handle().ok()?;
        Some(Self { handle, workspace })
    }

    /// The library's candidates, the likeliest first; none if it has none or does not know the kinds.
    fn plans(&self, shape: Shape) -> Vec<Plan> {
        let algorithms = Plan::new(shape, unset()).and_then(|plan| self.algorithms(&plan));
        let algorithms = algorithms.unwrap_or_else(|error| {
            tracing::debug!(%error, ?shape, "cuBLASLt has no candidate");
            Vec::new()
        });
        let plans = algorithms.into_iter();
        plans
            .filter_map(|algorithm| Plan::new(shape, algorithm).ok())
            .collect()
    }

    fn algorithms(&self, plan: &Plan) -> Result<Vec<sys::cublasLtMatmulAlgo_t>, CublasError> {
        let preference = result::create_matmul_pref()?;
        let workspace = WORKSPACE as u64;
        // Partial sums are added in f32, not in what the product is rounded to.
        let schemes = sys::cublasLtReductionScheme_t::CUBLASLT_REDUCTION_SCHEME_COMPUTE_TYPE as u32;
        let mut found = [const { std::mem::MaybeUninit::uninit() }; CANDIDATES];
        let mut count = 0;
        // SAFETY: all descriptions live in `plan`; the buffers are as long as their counts say.
        let asked = unsafe {
            result::set_matmul_pref_attribute(
                preference,
                sys::cublasLtMatmulPreferenceAttributes_t::CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES,
                (&raw const workspace).cast(),
                size_of_val(&workspace),
            )
            .and_then(|()| {
                result::set_matmul_pref_attribute(
                    preference,
                    sys::cublasLtMatmulPreferenceAttributes_t::CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK,
                    (&raw const schemes).cast(),
                    size_of_val(&schemes),
                )
            })
            .and_then(|()| {
                sys::cublasLtMatmulAlgoGetHeuristic(
                    self.handle,
                    plan.description,
                    plan.a,
                    plan.b,
                    plan.out,
                    plan.out,
                    preference,
                    CANDIDATES as i32,
                    found.as_mut_ptr().cast(),
                    &raw mut count,
                )
                .result()
            })
        };
        // SAFETY: created above.
        let destroyed = unsafe { result::destroy_matmul_pref(preference) };
        asked.and(destroyed)?;
        let given = found.into_iter().take(count.unsigned_abs() as usize);
        // SAFETY: the library has written so many.
        let given = given.map(
            |one: std::mem::MaybeUninit<sys::cublasLtMatmulHeuristicResult_t>| unsafe {
                one.assume_init()
            },
        );
        Ok(given
            .filter(|one| one.state.result().is_ok())
            .map(|one| one.algo)
            .collect())
    }

    fn run(&self, queue: &Queue, plan: &Plan, places: Places) -> Result<(), EngineError> {
        let (one, zero) = (1.0_f32, 0.0_f32);
        let address = |at: u64| at as *const c_void;
        // SAFETY: the plan's descriptions live as long as it; operands and output are in memory that callers own,
        // laid out as described.
        let run = unsafe {
            result::matmul(
                self.handle,
                plan.description,
                (&raw const one).cast(),
                (&raw const zero).cast(),
                address(places.b),
                plan.a,
                address(places.a),
                plan.b,
                address(places.out),
                plan.out,
                places.out as *mut c_void,
                plan.out,
                &raw const plan.algorithm,
                self.workspace.pointer() as *mut c_void,
                WORKSPACE,
                queue.stream().cu_stream().cast(),
            )
        };
        run.map_err(|error| EngineError::Compute {
            reason: format!("cuBLASLt: {error}"),
        })
    }
}

/// What stands for an algorithm where none is chosen yet.
fn unset() -> sys::cublasLtMatmulAlgo_t {
    sys::cublasLtMatmulAlgo_t { data: [0; 8] }
}

impl Plan {
    /// In the library's terms, whose matrices run down columns: `outᵀ = W·xᵀ`, with W read transposed.
    fn new(shape: Shape, algorithm: sys::cublasLtMatmulAlgo_t) -> Result<Self, CublasError> {
        let operands = type_of(shape.operands);
        let length = |length: usize| length as u64;
        let step = |length: usize| i64::try_from(length).unwrap_or(i64::MAX);
        let description = result::create_matmul_desc(
            sys::cublasComputeType_t::CUBLAS_COMPUTE_32F,
            sys::cudaDataType_t::CUDA_R_32F,
        )?;
        let layout = |kind, down, across| {
            result::create_matrix_layout(kind, length(down), length(across), step(down))
        };
        let plan = Self {
            description,
            a: layout(operands, shape.inputs, shape.outputs)?,
            b: layout(operands, shape.inputs, shape.rows)?,
            out: layout(type_of(shape.out), shape.outputs, shape.rows)?,
            algorithm,
        };
        // `CUBLAS_OP_T`, which only the headers of the older library name.
        let transposed = 1_i32;
        // SAFETY: the description was just created; the value is read before the call returns.
        unsafe {
            result::set_matmul_desc_attribute(
                plan.description,
                sys::cublasLtMatmulDescAttributes_t::CUBLASLT_MATMUL_DESC_TRANSA,
                (&raw const transposed).cast(),
                size_of_val(&transposed),
            )?;
        }
        Ok(plan)
    }
}

fn type_of(kind: Kind) -> sys::cudaDataType_t {
    match kind {
        Kind::F32 => sys::cudaDataType_t::CUDA_R_32F,
        Kind::Bf16 => sys::cudaDataType_t::CUDA_R_16BF,
        Kind::E4m3 => sys::cudaDataType_t::CUDA_R_8F_E4M3,
    }
}
