//! What one call can reach beyond its pictures: models, settings, randomness. Each is looked up
//! among what the user granted every time it is used, and a refusal is a sentence that the plugin
//! can pass on.

use std::fmt;
use std::sync::Arc;

use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use crate::tensor::{Inference, Tensor, Trouble};
use atelier_plugin_package::{Ask, Grants, Permission};

/// The most random bytes that are given at once.
const MOST_BYTES: u32 = 65_536;
/// Bytes of one block of the stream of random numbers.
const BLOCK: usize = 32;

/// What the caller lends to one call. The default lends nothing.
#[derive(Clone, Default)]
pub struct Powers {
    /// What the user granted to this plugin.
    pub granted: Grants,
    /// What the user set for this plugin: `settings.get` reads here.
    pub settings: Map<String, Value>,
    /// The job's seed: `random` follows from it and from the plugin's name.
    pub seed: u64,
    /// Who runs models; none on a host without models.
    pub models: Option<Arc<dyn Inference>>,
}

impl fmt::Debug for Powers {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Powers")
            .field("granted", &self.granted)
            .field("settings", &self.settings)
            .field("seed", &self.seed)
            .field("models", &self.models.is_some())
            .finish()
    }
}

/// The powers of a running call, held against what `plugin.toml` asks.
pub(crate) struct Reach {
    plugin: String,
    asks: Vec<Ask>,
    powers: Powers,
    /// Random bytes given so far.
    drawn: u64,
}

impl Reach {
    pub(crate) fn new(plugin: &str, asks: &[Ask], powers: &Powers) -> Self {
        Self {
            plugin: plugin.to_owned(),
            asks: asks.to_vec(),
            powers: powers.clone(),
            drawn: 0,
        }
    }

    /// Both must have said yes; the error says which did not.
    fn allowed(&self, permission: &Permission) -> Result<(), String> {
        let plugin = &self.plugin;
        if !self.asks.iter().any(|ask| ask.permission == *permission) {
            return Err(format!(
                "plugin {plugin:?} does not ask for {permission} in its plugin.toml, so it cannot be granted"
            ));
        }
        if !self.powers.granted.contains(permission) {
            return Err(format!(
                "nobody granted {permission} to plugin {plugin:?}; run: atelier plugin grant {plugin} {permission}"
            ));
        }
        Ok(())
    }

    pub(crate) fn infer(
        &self,
        model: &str,
        inputs: Vec<Tensor>,
        stop: &dyn Fn() -> bool,
    ) -> Result<Vec<Tensor>, Trouble> {
        self.allowed(&Permission::Model(model.to_owned()))
            .map_err(Trouble::Denied)?;
        for input in &inputs {
            input.check().map_err(Trouble::Input)?;
        }
        match &self.powers.models {
            Some(models) => models.run(model, inputs, stop),
            None => Err(Trouble::Missing(format!(
                "there is no model {model:?}: this host runs none"
            ))),
        }
    }

    pub(crate) fn setting(&self, key: &str) -> Result<Option<String>, String> {
        self.allowed(&Permission::Setting(key.to_owned()))?;
        Ok(self.powers.settings.get(key).map(Value::to_string))
    }

    /// The next bytes of SHA-256 over plugin, seed and a counter: the same on every machine.
    pub(crate) fn random(&mut self, count: u32) -> Result<Vec<u8>, String> {
        self.allowed(&Permission::Random)?;
        if count > MOST_BYTES {
            return Err(format!(
                "{count} random bytes are too many at once; {MOST_BYTES} are allowed"
            ));
        }
        let wanted = count as usize;
        let skipped = (self.drawn % BLOCK as u64) as usize;
        let mut bytes = Vec::with_capacity(skipped + wanted + BLOCK);
        let mut block = self.drawn / BLOCK as u64;
        while bytes.len() < skipped + wanted {
            bytes.extend_from_slice(&self.block(block));
            block += 1;
        }
        self.drawn += u64::from(count);
        bytes.drain(..skipped);
        bytes.truncate(wanted);
        Ok(bytes)
    }

    fn block(&self, number: u64) -> [u8; BLOCK] {
        let mut digest = Sha256::new();
        digest.update(b"atelier:plugin/random@1\0");
        digest.update(self.plugin.as_bytes());
        digest.update([0]);
        digest.update(self.powers.seed.to_le_bytes());
        digest.update(number.to_le_bytes());
        digest.finalize().into()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    fn reach(seed: u64, granted: &[Permission]) -> Reach {
        let asks = [
            Permission::Random,
            Permission::Setting("studio".to_owned()),
            Permission::Model("joints".to_owned()),
        ]
        .map(|permission| Ask {
            permission,
            reason: "a test".to_owned(),
            optional: false,
        });
        let powers = Powers {
            granted: granted.iter().cloned().collect(),
            settings: serde_json::from_str(r#"{ "studio": "North", "other": 1 }"#).unwrap(),
            seed,
            models: None,
        };
        Reach::new("painter", &asks, &powers)
    }

    #[test]
    fn both_must_say_yes_and_the_sentence_says_who_did_not() {
        let mut nothing = reach(1, &[]);
        let refused = nothing.random(4).unwrap_err();
        assert!(
            refused.contains("atelier plugin grant painter random"),
            "{refused}"
        );
        let granted = reach(1, &[Permission::Setting("other".to_owned())]);
        let refused = granted.setting("other").unwrap_err();
        assert!(
            refused.contains("does not ask for setting:other"),
            "{refused}"
        );
        let refused = granted.infer("joints", Vec::new(), &|| false).unwrap_err();
        assert!(matches!(refused, Trouble::Denied(_)), "{refused}");
    }

    #[test]
    fn a_setting_is_its_json() {
        let reach = reach(1, &[Permission::Setting("studio".to_owned())]);
        assert_eq!(
            reach.setting("studio").unwrap().as_deref(),
            Some("\"North\"")
        );
    }

    #[test]
    fn the_same_seed_gives_the_same_bytes_however_they_are_drawn() {
        let grant = [Permission::Random];
        let whole = reach(7, &grant).random(100).unwrap();
        let mut pieces = reach(7, &grant);
        let drawn: Vec<u8> = [1, 31, 32, 0, 36]
            .iter()
            .flat_map(|&count| pieces.random(count).unwrap())
            .collect();
        assert_eq!(drawn, whole);
        assert_ne!(reach(8, &grant).random(100).unwrap(), whole);
        assert!(pieces.random(MOST_BYTES + 1).is_err());
    }
}
