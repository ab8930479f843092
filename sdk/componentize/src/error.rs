//! Why a module did not become a component.

/// Why a module did not become a component. Each has a stable [code](Error::code).
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The bytes are not WebAssembly at all, or are cut off.
    #[error("not a WebAssembly module: {0}")]
    NotWasm(String),

    /// The bytes are a component already.
    #[error("this is a component already, not a core module")]
    AlreadyComponent,

    /// The module says nothing of the world that it was written for.
    #[error("the module does not say which plugin world it was written for")]
    NoWorld,

    /// The module imports functions of WASI.
    #[error("the module imports {0}, and plugins have no WASI")]
    Wasi(String),

    /// The module does not match its own description, or the component would not be valid.
    #[error("the module does not make a component: {0}")]
    Unfit(String),
}

impl Error {
    /// A stable name for scripts.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotWasm(_) => "module-not-wasm",
            Self::AlreadyComponent => "module-is-component",
            Self::NoWorld => "module-without-world",
            Self::Wasi(_) => "module-needs-wasi",
            Self::Unfit(_) => "module-unfit",
        }
    }

    /// What to do about it.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::NoWorld => Some(
                "build it as a cdylib that depends on atelier-plugin and calls \
                 atelier_plugin::export!(YourPlugin)",
            ),
            Self::Wasi(_) => Some(
                "build it with --target wasm32-unknown-unknown, and leave out what opens files \
                 or reads the clock or the environment",
            ),
            Self::NotWasm(_) => Some("name the .wasm file under target/wasm32-unknown-unknown"),
            _ => None,
        }
    }
}
