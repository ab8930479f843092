//! Whether a component imports what its plugin asks for, and nothing else.
//!
//! The host refuses the same at installation; its author should not have to wait for that.

use atelier_plugin_package::{Interface, Package};

use crate::BuildError;

/// The package whose interfaces a plugin may import.
const PACKAGE: &str = "atelier:plugin/";
/// Its version.
const VERSION: &str = "@1.0.0";
/// What every plugin may import.
const FREE: [&str; 3] = ["pictures", "log", "draw"];

/// Checks a component's imports, such as `atelier:plugin/log@1.0.0`.
///
/// # Errors
///
/// [`BuildError::Wasi`], [`BuildError::UnknownImport`] and [`BuildError::Unasked`], for the first
/// import that is not in order.
pub(crate) fn check(imports: &[String], package: &Package) -> Result<(), BuildError> {
    for import in imports {
        let interface = import
            .strip_prefix(PACKAGE)
            .and_then(|rest| rest.strip_suffix(VERSION));
        let Some(interface) = interface else {
            return Err(if import.starts_with("wasi:") {
                BuildError::Wasi(import.clone())
            } else {
                BuildError::UnknownImport(import.clone())
            });
        };
        if FREE.contains(&interface) {
            continue;
        }
        let asked = Interface::ALL
            .into_iter()
            .find(|known| known.name() == interface);
        match asked {
            None => return Err(BuildError::UnknownImport(import.clone())),
            Some(known) if !package.needs(known) => {
                return Err(BuildError::Unasked {
                    interface: known.name(),
                    ask: known.permission(),
                });
            }
            Some(_) => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::BuildError;
    use crate::project::asking;

    fn checked(imports: &[&str], permissions: &[&str]) -> Result<(), BuildError> {
        let imports: Vec<String> = imports.iter().map(|&name| name.to_owned()).collect();
        check(&imports, &asking(permissions))
    }

    #[test]
    fn free_and_asked_for_interfaces_pass() {
        let imports = [
            "atelier:plugin/pictures@1.0.0",
            "atelier:plugin/log@1.0.0",
            "atelier:plugin/draw@1.0.0",
            "atelier:plugin/infer@1.0.0",
        ];
        assert!(checked(&imports, &["model:movenet-lightning"]).is_ok());
    }

    #[test]
    fn what_is_not_asked_for_is_named_with_the_line_that_would() {
        for (interface, permission) in [
            ("infer", "model:NAME"),
            ("random", "random"),
            ("settings", "setting:KEY"),
        ] {
            let import = format!("atelier:plugin/{interface}@1.0.0");
            let refused = checked(&[&import], &[]);
            let Err(error) = refused else {
                panic!("{interface} passed");
            };
            assert_eq!(error.code(), "import-unasked");
            assert!(
                error.to_string().contains(&format!("`{interface}`")),
                "{error}"
            );
            let hint = error.hint().unwrap_or_default();
            assert!(
                hint.contains(&format!("permission = \"{permission}\"")),
                "{hint}"
            );
        }
    }

    #[test]
    fn wasi_and_other_strangers_are_named() {
        for (import, code) in [
            ("wasi:filesystem/types@0.2.6", "import-wasi"),
            ("atelier:plugin/network@1.0.0", "import-unknown"),
            ("atelier:plugin/log@2.0.0", "import-unknown"),
            ("other:package/thing", "import-unknown"),
        ] {
            let Err(error) = checked(&[import], &["random"]) else {
                panic!("{import} passed");
            };
            assert_eq!(error.code(), code);
            assert!(error.to_string().contains(import), "{error}");
        }
    }
}
