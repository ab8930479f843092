//! What a plugin asks for beyond the pictures of its call, and which interfaces that needs.

/// The interfaces that a plugin may import only when it asks for something of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Interface {
    /// Runs models: `model:NAME`.
    Infer,
    /// Numbers from the job's seed: `random`.
    Random,
    /// The user's settings for the plugin: `setting:KEY`.
    Settings,
}

impl Interface {
    pub(crate) const ALL: [Self; 3] = [Self::Infer, Self::Random, Self::Settings];

    /// Its name in `plugin.wit`.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Infer => "infer",
            Self::Random => "random",
            Self::Settings => "settings",
        }
    }

    /// A permission that asks for something of it.
    pub(crate) fn permission(self) -> &'static str {
        match self {
            Self::Infer => "model:NAME",
            Self::Random => "random",
            Self::Settings => "setting:KEY",
        }
    }
}

/// The permissions of a `plugin.toml`, as the interfaces that they need.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Asks {
    needed: Vec<Interface>,
}

impl Asks {
    /// Reads permissions: `model:NAME`, `setting:KEY` and `random`. The error is a sentence about
    /// the first that is none of these.
    pub(crate) fn parse<'a>(permissions: impl Iterator<Item = &'a str>) -> Result<Self, String> {
        let mut needed = Vec::new();
        for permission in permissions {
            let interface = match permission.split_once(':') {
                Some(("model", name)) if !name.is_empty() => Interface::Infer,
                Some(("setting", key)) if !key.is_empty() => Interface::Settings,
                None if permission == "random" => Interface::Random,
                _ => {
                    return Err(format!(
                        "asks: {permission:?} is no permission; there are model:NAME, \
                         setting:KEY and random"
                    ));
                }
            };
            if !needed.contains(&interface) {
                needed.push(interface);
            }
        }
        Ok(Self { needed })
    }

    /// Whether anything of an interface is asked for.
    pub(crate) fn need(&self, interface: Interface) -> bool {
        self.needed.contains(&interface)
    }
}

#[cfg(test)]
mod tests {
    use super::{Asks, Interface};

    #[test]
    fn permissions_need_their_interfaces() {
        let asks = Asks::parse(["model:a", "random", "model:b"].into_iter());
        let needs = |interface| asks.as_ref().is_ok_and(|asks| asks.need(interface));
        assert!(needs(Interface::Infer) && needs(Interface::Random));
        assert!(!needs(Interface::Settings));
    }

    #[test]
    fn what_is_no_permission_is_refused_by_its_name() {
        for bad in [
            "", "model", "model:", "setting:", "files", "random:1", "Random",
        ] {
            let refused = Asks::parse([bad].into_iter());
            assert!(
                refused.is_err_and(|problem| problem.contains(&format!("{bad:?}"))),
                "{bad}"
            );
        }
    }
}
