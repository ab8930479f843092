//! Lines and columns: where in a manifest something stands.
//!
//! The parser speaks of byte offsets; people and editors of lines and columns. This module turns
//! the one into the other, once, at the end of parsing, and remembers the place of every key so
//! that later checks, which no longer have the text, can still point at it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// A place in a text, both counted from 1, the column in characters (not bytes).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Place {
    /// The line, from 1.
    pub line: u32,
    /// The column in characters, from 1.
    pub column: u32,
}

impl Place {
    /// Where every text begins; also where a key that is missing altogether is reported.
    pub const START: Self = Self { line: 1, column: 1 };
}

/// Walks a text once and says which place each byte offset is.
///
/// Offsets asked for in rising order cost one pass over the text in all; going back restarts, so
/// any order is right and sorted is fast (a manifest may be one line of a mebibyte).
pub(crate) struct Ruler<'t> {
    bytes: &'t [u8],
    at: usize,
    place: Place,
}

impl<'t> Ruler<'t> {
    /// A ruler laid along `text`.
    pub(crate) fn new(text: &'t str) -> Self {
        Self::over(text.as_bytes())
    }

    /// The same for bytes of which only a beginning need be UTF-8.
    pub(crate) fn over(bytes: &'t [u8]) -> Self {
        Self {
            bytes,
            at: 0,
            place: Place::START,
        }
    }

    /// The place of a byte offset; past the end means the end.
    pub(crate) fn place(&mut self, offset: usize) -> Place {
        let offset = offset.min(self.bytes.len());
        if offset < self.at {
            (self.at, self.place) = (0, Place::START);
        }
        for byte in &self.bytes[self.at..offset] {
            if *byte == b'\n' {
                self.place.line = self.place.line.saturating_add(1);
                self.place.column = 1;
            } else if byte & 0b1100_0000 != 0b1000_0000 {
                // A continuation byte of UTF-8 starts no character.
                self.place.column = self.place.column.saturating_add(1);
            }
        }
        self.at = offset;
        self.place
    }
}

/// The place of every key that a manifest gave, by key path (`reference[2].prepare[1].plugin`).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Places(BTreeMap<String, Place>);

impl Places {
    /// Whether the manifest gave this key at all, with a good value or a bad one.
    pub(crate) fn contains(&self, key: &str) -> bool {
        self.0.contains_key(key)
    }

    /// The place of a key's value, exactly.
    pub(crate) fn of(&self, key: &str) -> Option<Place> {
        self.0.get(key).copied()
    }

    /// The place of a key or, where it was left out, of the nearest table around it.
    pub(crate) fn nearest(&self, key: &str) -> Option<Place> {
        let mut key = key;
        loop {
            if let Some(place) = self.of(key) {
                return Some(place);
            }
            match parent(key) {
                Some(outer) => key = outer,
                // Nothing at all is known where the wishes did not come from a text.
                None => return (!self.0.is_empty()).then_some(Place::START),
            }
        }
    }
}

impl FromIterator<(String, Place)> for Places {
    fn from_iter<I: IntoIterator<Item = (String, Place)>>(entries: I) -> Self {
        Self(entries.into_iter().collect())
    }
}

/// `reference[2].prepare[1]` → `reference[2].prepare` → `reference[2]` → `reference` → none.
fn parent(key: &str) -> Option<&str> {
    let cut = key.rfind(['.', '['])?;
    Some(&key[..cut])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str, offset: usize) -> (u32, u32) {
        let place = Ruler::new(text).place(offset);
        (place.line, place.column)
    }

    #[test]
    fn columns_count_characters_from_one() {
        assert_eq!(at("", 0), (1, 1));
        assert_eq!(at("abc", 2), (1, 3));
        assert_eq!(at("äöü=1", 6), (1, 4));
        assert_eq!(at("a\r\nb", 3), (2, 1));
        assert_eq!(at("a\n", 2), (2, 1));
        assert_eq!(at("a\nbc", 99), (2, 3));
    }

    #[test]
    fn any_order_gives_the_same_places() {
        let text = "one\ntwo\n日本\nfour";
        let mut forward = Ruler::new(text);
        let mut backward = Ruler::new(text);
        let rising: Vec<_> = (0..=text.len()).map(|at| forward.place(at)).collect();
        let mut falling: Vec<_> = (0..=text.len())
            .rev()
            .map(|at| backward.place(at))
            .collect();
        falling.reverse();
        assert_eq!(rising, falling);
    }

    #[test]
    fn a_key_left_out_is_placed_at_its_table() {
        let second = Place { line: 7, column: 1 };
        let places: Places = [("reference[2]".to_owned(), second)].into_iter().collect();
        assert_eq!(places.nearest("reference[2].path"), Some(second));
        assert_eq!(
            places.nearest("reference[2].prepare[1].plugin"),
            Some(second)
        );
        assert_eq!(places.nearest("prompt"), Some(Place::START));
        assert_eq!(Places::default().nearest("prompt"), None);
        assert!(!places.contains("reference"));
    }
}
