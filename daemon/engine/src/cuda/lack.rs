//! What keeps a card from being used.

use super::version::Version;

/// Why pictures are not made on a card, in words for those who can change it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Lack {
    /// The driver's library cannot be loaded.
    #[error("no NVIDIA driver is installed: libcuda.so.1 is not found")]
    Driver,
    /// The driver does not start.
    #[error("the NVIDIA driver does not start: {reason}")]
    DriverFails {
        /// The driver's own name of the fault.
        reason: String,
    },
    /// The driver is of an older CUDA than this program is made for.
    #[error("the NVIDIA driver is too old: it is for CUDA {found}, and {needed} is needed")]
    DriverOld {
        /// What the driver is for.
        found: Version,
        /// The least that does.
        needed: Version,
    },
    /// The driver works and sees no card.
    #[error("the NVIDIA driver sees no card")]
    NoCard,
    /// There are cards, and not this one.
    #[error("there is no card {number}: the last one is {last}")]
    NoSuchCard {
        /// The number asked for.
        number: u32,
        /// The highest there is.
        last: u32,
    },
    /// The card is of an older generation than kernels are made for.
    #[error("{name} is too old a card: its compute capability is {found}, and {needed} is needed")]
    CardOld {
        /// The card's name.
        name: String,
        /// Its compute capability.
        found: Version,
        /// The least that does.
        needed: Version,
    },
    /// NVIDIA's run-time compiler cannot be loaded.
    #[error("NVIDIA's run-time compiler is missing: libnvrtc.so is not found")]
    Compiler,
    /// The compiler does not know what kernels for this card say.
    #[error(
        "the run-time compiler is too old for this card: it is of CUDA {found}, and {needed} is needed"
    )]
    CompilerOld {
        /// The compiler's version.
        found: Version,
        /// The least that does.
        needed: Version,
    },
    /// The compiler makes code that the driver does not read.
    #[error(
        "the run-time compiler is of CUDA {compiler}, and the NVIDIA driver reads up to {driver}"
    )]
    CompilerNewer {
        /// The compiler's version.
        compiler: Version,
        /// The driver's.
        driver: Version,
    },
}

impl Lack {
    /// What to do about it.
    pub fn hint(&self) -> String {
        match self {
            Self::Driver => "install the NVIDIA driver (Debian: nvidia-driver; Ubuntu: `ubuntu-drivers install`), \
                             and restart"
                .into(),
            Self::DriverFails { .. } => "run nvidia-smi: a restart helps after the driver was updated, and a \
                                         container needs the card passed in (`--gpus all`)"
                .into(),
            Self::DriverOld { .. } => "update the NVIDIA driver".into(),
            Self::NoCard => "run nvidia-smi; CUDA_VISIBLE_DEVICES, where it is set, hides cards".into(),
            Self::NoSuchCard { .. } => "`atelier doctor` lists the cards".into(),
            Self::CardOld { .. } => "cards from the RTX 30 series on do".into(),
            Self::Compiler => "`pip install nvidia-cuda-nvrtc-cu12`, or install NVIDIA's CUDA toolkit, 12.4 or newer, and \
                               put the folder of libnvrtc.so.12, or of 13's libnvrtc.so, on LD_LIBRARY_PATH"
                .into(),
            Self::CompilerOld { needed, .. } => format!(
                "`pip install nvidia-cuda-nvrtc-cu12`, or install NVIDIA's CUDA toolkit, {needed} or newer, and put the \
                 folder of its libnvrtc.so on LD_LIBRARY_PATH, before that of the older one"
            ),
            Self::CompilerNewer { driver, .. } => format!(
                "update the NVIDIA driver, or install the CUDA toolkit {driver} and put its lib64 on LD_LIBRARY_PATH"
            ),
        }
    }
}
