//! The kernels' own text, run on the processor.
//!
//! `kernels/emulate` compiles it as C++, with each thread of a block a fibre and the tensor cores' instructions as
//! their manual describes them. So names, grids, arguments and every index are tested on machines without a card.

#![allow(unsafe_code, reason = "a library of C++ is loaded and called")]
#![allow(clippy::expect_used, reason = "a test fails by panicking")]

use std::ffi::{CString, c_char, c_int, c_void};
use std::path::Path;
use std::process::Command;
use std::sync::OnceLock;

use crate::device::Precision;
use crate::error::EngineError;
use crate::step::Program;
use crate::step::bank::Bank;
use crate::step::call::{Call, Unit, call};
use crate::step::machine::{Machine, Stepper, Traffic, number};
use crate::step::network::Arithmetic;
use crate::step::op::Op;
use crate::step::place::{ALIGNMENT, Address, Matrix, Space};
use crate::step::twin::{decode, encode};

/// The emulator as a device.
#[derive(Debug)]
pub(crate) struct Emulator;

impl Stepper for Emulator {
    fn arithmetic(&self, precision: Precision) -> Arithmetic {
        Arithmetic::native(precision)
    }

    fn free(&self) -> Option<u64> {
        None
    }

    fn machine(&self, bank: &Bank, bytes: usize) -> Result<Box<dyn Machine>, EngineError> {
        Ok(Box::new(Emulated::new(bank, bytes)))
    }
}

/// Memory that is aligned as a card's is.
#[derive(Debug)]
struct Aligned {
    bytes: Vec<u8>,
    start: usize,
}

impl Aligned {
    fn new(bytes: usize) -> Self {
        let all = vec![0_u8; bytes + ALIGNMENT];
        let start = all.as_ptr().align_offset(ALIGNMENT);
        Self { bytes: all, start }
    }

    fn slice(&mut self) -> &mut [u8] {
        &mut self.bytes[self.start..]
    }
}

/// A network in the emulator.
#[derive(Debug)]
pub(crate) struct Emulated {
    epoch: u64,
    arena: Aligned,
    weights: Vec<Aligned>,
}

impl Emulated {
    pub(crate) fn new(bank: &Bank, bytes: usize) -> Self {
        let weights = (0..bank.groups()).map(|group| {
            let bytes = bank.bytes(group);
            let mut memory = Aligned::new(bytes);
            bank.fill(group, &mut memory.slice()[..bytes]);
            memory
        });
        Self {
            epoch: number(),
            weights: weights.collect(),
            arena: Aligned::new(bytes),
        }
    }

    fn place(&self, at: Address) -> u64 {
        let space = self.space(at.space);
        (space.bytes[space.start..].as_ptr() as usize + at.offset) as u64
    }

    fn space(&self, space: Space) -> &Aligned {
        match space {
            Space::Arena => &self.arena,
            Space::Weights(group) => &self.weights[group],
        }
    }

    fn held(&self, matrix: &Matrix) -> &[u8] {
        let space = self.space(matrix.at.space);
        &space.bytes[space.start..][matrix.at.offset..][..matrix.bytes()]
    }

    fn bytes_at(&mut self, matrix: &Matrix) -> &mut [u8] {
        &mut self.arena.slice()[matrix.at.offset..][..matrix.bytes()]
    }

    pub(crate) fn apply(&mut self, op: &Op) -> Result<(), EngineError> {
        if let Op::Copy { from, to } = op {
            let bytes = self.held(from).to_vec();
            self.bytes_at(to).copy_from_slice(&bytes);
            return Ok(());
        }
        match call(op, &|at| self.place(at)) {
            Some(call) => launch(&call),
            None => Ok(()),
        }
    }
}

type Emulate = unsafe extern "C" fn(*const c_char, u32, u32, u32, u32, u32, *const c_void) -> c_int;

fn launch(call: &Call) -> Result<(), EngineError> {
    let name = match call.unit {
        Unit::Attention(width) => format!("{}_{width}", call.kernel),
        _ => call.kernel.into(),
    };
    let kernel = CString::new(name.clone()).unwrap_or_default();
    let [x, y, z] = call.grid;
    // SAFETY: the arguments are the struct that the kernel takes; what it points to is memory of the machine.
    let outcome = unsafe {
        library()(
            kernel.as_ptr(),
            x,
            y,
            z,
            call.threads,
            call.shared,
            call.arguments.as_ptr().cast(),
        )
    };
    if outcome == 0 {
        return Ok(());
    }
    Err(EngineError::Compute {
        reason: format!("{name} ended with {outcome} in the emulator"),
    })
}

/// Compiles the library the first time; it lasts as long as the process.
fn library() -> Emulate {
    static LIBRARY: OnceLock<Emulate> = OnceLock::new();
    *LIBRARY.get_or_init(|| {
        let folder = tempfile::tempdir().expect("a folder for the library");
        let file = folder.path().join("kernels.so");
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("kernels/emulate/library.cpp");
        let options = "-O2 -std=c++17 -ffp-contract=off -fPIC -shared -fvisibility=hidden -Wno-unknown-pragmas";
        let built = Command::new("c++")
            .args(options.split(' '))
            .arg(&source)
            .arg("-o")
            .arg(&file)
            .status()
            .expect("a C++ compiler");
        assert!(built.success(), "the kernels compile as C++");
        let path = CString::new(file.as_os_str().as_encoded_bytes()).expect("a path without NUL");
        // SAFETY: the file was just made, and its initialisers do nothing but set up its own state.
        let handle = unsafe { libc::dlopen(path.as_ptr(), libc::RTLD_NOW) };
        assert!(!handle.is_null(), "the library loads");
        // SAFETY: the handle is valid, and never closed.
        let symbol = unsafe { libc::dlsym(handle, c"atelier_emulate".as_ptr()) };
        assert!(!symbol.is_null(), "the library has its one function");
        // SAFETY: `library.cpp` declares it so.
        unsafe { std::mem::transmute::<*mut c_void, Emulate>(symbol) }
    })
}

impl Machine for Emulated {
    fn reserve(&mut self, bytes: usize) -> Result<(), EngineError> {
        if self.arena.bytes.len() < bytes + ALIGNMENT {
            let mut larger = Aligned::new(bytes);
            let before = self.arena.slice();
            let length = before.len().min(bytes);
            larger.slice()[..length].copy_from_slice(&before[..length]);
            self.arena = larger;
        }
        Ok(())
    }

    fn write(&mut self, program: &Program, to: &Matrix, values: &[f32]) -> Result<(), EngineError> {
        self.reserve(program.bytes)?;
        encode(to.kind, values, self.bytes_at(to));
        Ok(())
    }

    fn epoch(&self) -> u64 {
        self.epoch
    }

    fn run(&mut self, program: &Program) -> Result<(), EngineError> {
        program.ops.iter().try_for_each(|op| self.apply(op))
    }

    fn read(&mut self, from: &Matrix) -> Result<Vec<f32>, EngineError> {
        Ok(decode(from.kind, self.bytes_at(from)))
    }

    fn finish(&mut self) -> Result<(), EngineError> {
        Ok(())
    }

    fn traffic(&self) -> Option<Traffic> {
        None
    }

    fn weights(&self) -> u64 {
        0
    }
}
