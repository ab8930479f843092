//! What a plugin can ask for beyond the pictures of its call. Two say yes or nothing happens: the
//! plugin's author in `plugin.toml`, with a reason that a person can read, and the user.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use crate::interface::Interface;

/// One thing that a plugin may do only if it asks and the user grants it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Permission {
    /// `model:NAME`: run this model of the host's.
    Model(String),
    /// `setting:KEY`: read this key of what the user set for the plugin.
    Setting(String),
    /// `random`: numbers that follow from the job's seed.
    Random,
}

/// Everything that a user granted to one plugin.
pub type Grants = BTreeSet<Permission>;

/// A permission with its reason, as `plugin.toml` asks for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ask {
    /// What is asked for.
    pub permission: Permission,
    /// Why, in the author's words: one line of 1 to 300 characters.
    pub reason: String,
    /// Whether the plugin is of use without it.
    pub optional: bool,
}

/// The longest name of a model or key, in bytes.
const LONGEST_NAME: usize = 64;

impl Permission {
    /// The interface whose functions need this permission.
    pub fn interface(&self) -> Interface {
        match self {
            Self::Model(_) => Interface::Infer,
            Self::Setting(_) => Interface::Settings,
            Self::Random => Interface::Random,
        }
    }
}

impl fmt::Display for Permission {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Model(name) => write!(out, "model:{name}"),
            Self::Setting(key) => write!(out, "setting:{key}"),
            Self::Random => out.write_str("random"),
        }
    }
}

/// A text names no permission; the text says what would.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is no permission; there are model:NAME, setting:KEY and random, names of a-z, A-Z, 0-9, ., _ and -"
)]
pub struct NoPermission(pub String);

impl FromStr for Permission {
    type Err = NoPermission;

    fn from_str(text: &str) -> Result<Self, NoPermission> {
        let named = |name: &str| is_name(name).then(|| name.to_owned());
        let permission = match text.split_once(':') {
            None if text == "random" => Some(Self::Random),
            Some(("model", name)) => named(name).map(Self::Model),
            Some(("setting", key)) => named(key).map(Self::Setting),
            _ => None,
        };
        permission.ok_or_else(|| NoPermission(text.to_owned()))
    }
}

fn is_name(name: &str) -> bool {
    (1..=LONGEST_NAME).contains(&name.len())
        && !name.starts_with('.')
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn a_permission_reads_as_it_is_written() {
        for text in ["model:movenet-lightning", "setting:studio_name", "random"] {
            let permission: Permission = text.parse().unwrap();
            assert_eq!(permission.to_string(), text);
        }
    }

    #[test]
    fn nothing_else_is_a_permission() {
        for text in [
            "",
            "model",
            "model:",
            "model:../x",
            "model:a/b",
            "model:.hidden",
            "files:/",
            "random:1",
            "Random",
        ] {
            assert_eq!(
                text.parse::<Permission>(),
                Err(NoPermission(text.to_owned())),
                "{text}"
            );
        }
    }
}
