//! What a plugin says of itself in `plugin.toml`. Reading it runs nothing of the plugin, so a list
//! of plugins costs nothing and a broken one can still be named.

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use serde::Deserialize;
use thiserror::Error;

use crate::interface::Interface;
use crate::permission::{Ask, Grants, Permission};

/// The name of the file that describes a plugin.
pub const PACKAGE_FILE: &str = "plugin.toml";

/// No honest `plugin.toml` is longer.
const LONGEST_FILE: u64 = 64 << 10;
const LONGEST_NAME: usize = 64;
const LONGEST_VERSION: usize = 64;
const LONGEST_LINE: usize = 300;
const MOST_ASKS: usize = 32;

/// Why a `plugin.toml` says nothing that can be used.
#[derive(Debug, Error)]
pub enum PackageError {
    /// There is no such file.
    #[error("plugin {plugin:?}: there is no plugin at {}", path.display())]
    NotFound {
        /// The folder's name.
        plugin: String,
        /// What was looked for.
        path: PathBuf,
    },
    /// It is not what it must be.
    #[error("plugin {plugin:?}: {problem}")]
    Invalid {
        /// The folder's name, or the plugin's once it is known.
        plugin: String,
        /// What is wrong, with line and column where the text has one.
        problem: String,
    },
}

/// A version of the interface between host and plugin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum World {
    /// `atelier:plugin@1.0.0`
    V1,
}

impl World {
    /// Every version that this host runs.
    pub const ALL: &[Self] = &[Self::V1];

    /// The name of its WIT package, with the version.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::V1 => "atelier:plugin@1.0.0",
        }
    }

    fn parse(text: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .copied()
            .find(|world| world.as_str() == text)
    }
}

impl fmt::Display for World {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.as_str())
    }
}

/// A plugin's `plugin.toml`, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Package {
    /// What jobs call it: 1 to 64 of `a`–`z`, `0`–`9` and `-`, the first a letter.
    pub name: String,
    /// Its own version, `MAJOR.MINOR.PATCH` with an optional suffix after `-` or `+`.
    pub version: String,
    /// One line on what it does.
    pub summary: String,
    /// An SPDX licence expression, taken as it is.
    pub license: String,
    /// The interface it was built for.
    pub world: World,
    /// What it asks for beyond its call's pictures, each once.
    pub asks: Vec<Ask>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    name: String,
    version: String,
    #[serde(alias = "description")]
    summary: String,
    license: String,
    world: String,
    #[serde(default)]
    asks: Vec<WrittenAsk>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum WrittenAsk {
    Reasoned(ReasonedAsk),
    /// What authors write first; it is refused with the form that is wanted.
    Bare(String),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ReasonedAsk {
    permission: String,
    reason: String,
    #[serde(default)]
    optional: bool,
}

impl Package {
    /// Reads `folder/plugin.toml`.
    ///
    /// # Errors
    /// [`PackageError::NotFound`] without such a file, [`PackageError::Invalid`] when it cannot be
    /// read or does not say what it must.
    pub fn read(folder: &Path) -> Result<Self, PackageError> {
        let plugin = folder_name(folder);
        let path = folder.join(PACKAGE_FILE);
        let mut text = String::new();
        let read = File::open(&path)
            .and_then(|file| file.take(LONGEST_FILE + 1).read_to_string(&mut text));
        match read {
            Ok(_) if text.len() as u64 > LONGEST_FILE => Err(PackageError::Invalid {
                plugin,
                problem: format!("{PACKAGE_FILE} is longer than {} KiB", LONGEST_FILE >> 10),
            }),
            Ok(_) => Self::parse(&plugin, &text),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Err(PackageError::NotFound { plugin, path })
            }
            Err(error) => Err(PackageError::Invalid {
                plugin,
                problem: format!("{PACKAGE_FILE} cannot be read: {error}"),
            }),
        }
    }

    /// Parses the text of a `plugin.toml`. `plugin` is what errors call it until its name is known.
    ///
    /// # Errors
    /// [`PackageError::Invalid`].
    pub fn parse(plugin: &str, text: &str) -> Result<Self, PackageError> {
        let refuse = |plugin: &str, problem: String| PackageError::Invalid {
            plugin: plugin.to_owned(),
            problem: format!("{PACKAGE_FILE}: {problem}"),
        };
        let written: Written = toml::from_str(text).map_err(|error| {
            let place = error
                .span()
                .map(|span| place(text, span.start))
                .unwrap_or_default();
            refuse(plugin, format!("{place}{}", error.message()))
        })?;
        if !is_name(&written.name) {
            let rule = "1 to 64 of a-z, 0-9 and -, the first a letter";
            return Err(refuse(plugin, format!("name = {:?}: {rule}", written.name)));
        }
        let plugin = written.name.as_str();
        if !is_version(&written.version) {
            let rule = "three numbers, as in 1.2.3";
            return Err(refuse(
                plugin,
                format!("version = {:?}: {rule}", written.version),
            ));
        }
        for (key, value) in [("summary", &written.summary), ("license", &written.license)] {
            if !is_line(value) {
                return Err(refuse(plugin, format!("{key}: {LINE_RULE}")));
            }
        }
        let Some(world) = World::parse(&written.world) else {
            let known = World::ALL
                .iter()
                .map(|world| world.as_str())
                .collect::<Vec<_>>()
                .join(", ");
            let problem = format!(
                "world = {:?} is not known here; known: {known}",
                written.world
            );
            return Err(refuse(plugin, problem));
        };
        let asks = asks(written.asks).map_err(|problem| refuse(plugin, problem))?;
        Ok(Self {
            name: written.name,
            version: written.version,
            summary: written.summary,
            license: written.license,
            world,
            asks,
        })
    }

    /// Whether it asks for anything of an interface.
    pub fn needs(&self, interface: Interface) -> bool {
        let mut asks = self.asks.iter();
        asks.any(|ask| ask.permission.interface() == interface)
    }

    /// What it cannot do without and was not granted.
    pub fn missing(&self, granted: &Grants) -> Vec<&Ask> {
        self.asks
            .iter()
            .filter(|ask| !ask.optional && !granted.contains(&ask.permission))
            .collect()
    }
}

fn asks(written: Vec<WrittenAsk>) -> Result<Vec<Ask>, String> {
    if written.len() > MOST_ASKS {
        return Err(format!("asks: at most {MOST_ASKS} things"));
    }
    let mut asks: Vec<Ask> = Vec::with_capacity(written.len());
    for ask in written {
        let ReasonedAsk {
            permission,
            reason,
            optional,
        } = match ask {
            WrittenAsk::Reasoned(ask) => ask,
            WrittenAsk::Bare(permission) => {
                return Err(format!(
                    "asks: {permission:?} needs a reason that a person can read: {{ permission = {permission:?}, reason = \"…\" }}"
                ));
            }
        };
        if !is_line(&reason) {
            return Err(format!("asks: the reason for {permission:?}: {LINE_RULE}"));
        }
        let permission: Permission = permission
            .parse()
            .map_err(|error| format!("asks: {error}"))?;
        if asks.iter().any(|ask| ask.permission == permission) {
            return Err(format!("asks: {permission} stands there twice"));
        }
        asks.push(Ask {
            permission,
            reason,
            optional,
        });
    }
    Ok(asks)
}

const LINE_RULE: &str = "one line of 1 to 300 characters";

fn is_line(text: &str) -> bool {
    !text.trim().is_empty()
        && text.chars().count() <= LONGEST_LINE
        && !text.chars().any(char::is_control)
}

/// What to call the plugin in a folder before its own name is known.
pub fn folder_name(folder: &Path) -> String {
    let name = folder.file_name().unwrap_or(folder.as_os_str());
    name.to_string_lossy().into_owned()
}

/// Whether a plugin may be called that: 1 to 64 of `a`–`z`, `0`–`9` and `-`, the first a letter.
pub fn is_name(name: &str) -> bool {
    name.len() <= LONGEST_NAME
        && name.starts_with(|first: char| first.is_ascii_lowercase())
        && name
            .bytes()
            .all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'))
}

fn is_version(version: &str) -> bool {
    let (numbers, suffix) = match version.find(['-', '+']) {
        Some(at) => (&version[..at], &version[at + 1..]),
        None => (version, "0"),
    };
    let is_number = |part: &str| {
        (1..=9).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit())
    };
    version.len() <= LONGEST_VERSION
        && numbers.split('.').count() == 3
        && numbers.split('.').all(is_number)
        && !suffix.is_empty()
        && suffix
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b".+-".contains(&byte))
}

/// "line 3, column 7: " for a byte offset.
fn place(text: &str, offset: usize) -> String {
    let before = text.get(..offset).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before
        .rsplit('\n')
        .next()
        .unwrap_or_default()
        .chars()
        .count()
        + 1;
    format!("line {line}, column {column}: ")
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::expect_used,
        reason = "a test fails by panicking"
    )]

    use super::*;

    const GOOD: &str = r#"
name = "pose"
version = "0.1.0"
license = "Apache-2.0 OR MIT"
summary = "Keypoints to a skeleton"
world = "atelier:plugin@1.0.0"
"#;

    #[test]
    fn a_package_says_what_it_is() {
        let package = Package::parse("folder", GOOD).unwrap();
        assert_eq!(package.name, "pose");
        assert_eq!(package.world, World::V1);
    }

    #[test]
    fn each_mistake_is_refused_with_its_key_and_place() {
        let cases = [
            (
                GOOD.replace("license", "licence"),
                "line 4, column 1: unknown field `licence`",
            ),
            (GOOD.replace("\"pose\"", "\"Pose\""), "name = \"Pose\""),
            (
                GOOD.replace("\"pose\"", "\"../pose\""),
                "name = \"../pose\"",
            ),
            (GOOD.replace("0.1.0", "0.1"), "version = \"0.1\""),
            (GOOD.replace("0.1.0", "0.1.0-"), "version = \"0.1.0-\""),
            (GOOD.replace("Keypoints to a skeleton", " "), "summary"),
            (
                GOOD.replace("@1.0.0", "@2.0.0"),
                "known: atelier:plugin@1.0.0",
            ),
            (
                format!("{GOOD}asks = [\"model:movenet\"]\n"),
                "needs a reason that a person can read",
            ),
            (
                format!("{GOOD}asks = [{{ permission = \"files:/\", reason = \"To read\" }}]\n"),
                "\"files:/\" is no permission",
            ),
            (
                format!("{GOOD}asks = [{{ permission = \"random\", reason = \" \" }}]\n"),
                "the reason for \"random\"",
            ),
            (GOOD.replace("name = ", "name "), "line 2"),
        ];
        for (text, expected) in cases {
            let error = Package::parse("folder", &text).unwrap_err();
            assert!(matches!(error, PackageError::Invalid { .. }), "{error:?}");
            assert!(
                error.to_string().contains(expected),
                "{error} lacks {expected:?}"
            );
        }
    }

    #[test]
    fn what_it_asks_for_has_a_reason_and_is_missing_until_granted() {
        let text = format!(
            "{GOOD}[[asks]]\npermission = \"model:movenet\"\nreason = \"Finds joints\"\n\
             [[asks]]\npermission = \"random\"\nreason = \"Looks livelier\"\noptional = true\n"
        );
        let package = Package::parse("folder", &text).unwrap();
        let ask = &package.asks[0];
        assert_eq!(ask.permission, Permission::Model("movenet".to_owned()));
        assert_eq!(package.missing(&Grants::new()), [ask]);
        assert!(
            package
                .missing(&Grants::from([ask.permission.clone()]))
                .is_empty()
        );
    }

    #[test]
    fn versions_follow_semver() {
        for good in [
            "1.2.3",
            "0.0.0",
            "1.2.3-rc.1",
            "1.2.3+build",
            "1.2.3-rc.1+b",
        ] {
            assert!(is_version(good), "{good}");
        }
        for bad in [
            "", "1", "1.2", "1.2.3.4", "1.2.x", "1.2.3-", "1.2.3-ä", "v1.2.3", "1..3",
        ] {
            assert!(!is_version(bad), "{bad}");
        }
    }
}
