//! What the user set for this plugin in the configuration, for all jobs.
//!
//! A plugin asks for each in its `plugin.toml`, with `setting:KEY` and a reason. In `cargo test`
//! nothing is set; [`answer_with`] says what is.
//!
//! ```
//! use atelier_plugin::settings;
//!
//! settings::answer_with(|key| (key == "colours").then(|| "5".to_owned()));
//! assert_eq!(settings::get::<u32>("colours")?, Some(5));
//! assert_eq!(settings::get::<String>("font")?, None);
//! # Ok::<(), atelier_plugin::Refused>(())
//! ```

#[cfg(target_arch = "wasm32")]
use crate::component as backing;
#[cfg(not(target_arch = "wasm32"))]
use native as backing;
use serde::de::DeserializeOwned;

use crate::Refused;

/// A setting's value, or none where the user set none.
///
/// # Errors
///
/// [`Refused`] where nobody granted it, and where it is of another type than `T`.
pub fn get<T: DeserializeOwned>(key: &str) -> Result<Option<T>, Refused> {
    let Some(json) = backing::setting(key)? else {
        return Ok(None);
    };
    serde_json::from_str(&json)
        .map(Some)
        .map_err(|error| Refused::because(format!("the setting {key} is {json}: {error}")))
}

#[cfg(not(target_arch = "wasm32"))]
pub use native::answer_with;

/// Outside a component: what a test says that is set.
#[cfg(not(target_arch = "wasm32"))]
mod native {
    use std::cell::RefCell;
    use std::rc::Rc;

    use crate::Refused;

    type Answer = Rc<dyn Fn(&str) -> Option<String>>;

    thread_local! {
        static ANSWER: RefCell<Option<Answer>> = const { RefCell::new(None) };
    }

    /// Says what is set on this thread from now on, as JSON. Only in native tests, each of which
    /// has a thread of its own; before it is called, every setting is refused.
    pub fn answer_with(answer: impl Fn(&str) -> Option<String> + 'static) {
        ANSWER.with(|place| *place.borrow_mut() = Some(Rc::new(answer)));
    }

    pub(super) fn setting(key: &str) -> Result<Option<String>, Refused> {
        let answer = ANSWER.with(|place| place.borrow().clone());
        answer.map(|answer| answer(key)).ok_or_else(|| {
            Refused::because(format!(
                "nobody granted the setting {key}; in a test, settings::answer_with does"
            ))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{answer_with, get};

    #[test]
    fn a_setting_is_refused_until_granted_and_where_its_type_is_wrong() {
        let denied = get::<u32>("side").map_err(|refused| refused.to_string());
        assert!(matches!(denied, Err(why) if why.starts_with("nobody granted the setting side")));
        answer_with(|_| Some("\"wide\"".to_owned()));
        let wrong = get::<u32>("side").map_err(|refused| refused.to_string());
        assert!(
            matches!(wrong, Err(why) if why.starts_with("the setting side is \"wide\": invalid type"))
        );
        assert_eq!(get::<String>("side"), Ok(Some("wide".to_owned())));
    }
}
