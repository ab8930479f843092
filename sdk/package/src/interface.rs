//! The interfaces that a plugin may import only when it asks for something of them.

/// One of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Interface {
    /// Runs models: `model:NAME`.
    Infer,
    /// Numbers from the job's seed: `random`.
    Random,
    /// What the user set for the plugin: `setting:KEY`.
    Settings,
}

impl Interface {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Infer, Self::Random, Self::Settings];

    /// Its name in `plugin.wit`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Infer => "infer",
            Self::Random => "random",
            Self::Settings => "settings",
        }
    }

    /// How a permission is written that asks for something of it.
    pub fn permission(self) -> &'static str {
        match self {
            Self::Infer => "model:NAME",
            Self::Random => "random",
            Self::Settings => "setting:KEY",
        }
    }
}
