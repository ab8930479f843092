//! Encodings of prompts and pictures that were made not long ago.
//!
//! A batch of seeds has one prompt and one set of references; a queue often has the same few again
//! and again. What the text encoder or the autoencoder makes of them depends on nothing but the
//! model, the token ids and the pixels, so it is kept under their SHA-256 and taken again, bit for
//! bit. The shelf belongs to one pipeline and so to one model; it is bounded in bytes and gives up
//! what was not used for longest.
//!
//! It must never change a picture: only whole results are kept, never those of a rendering that
//! failed, and a key covers everything that the result depends on. It must never hold the lock while
//! something is encoded.

use std::sync::{Mutex, MutexGuard, PoisonError};

use burn::tensor::Tensor;
use image::RgbImage;
use sha2::{Digest, Sha256};

use crate::prompt::Tokens;

/// Bytes that are kept unless a caller says otherwise: eight prompts of klein 4B and as many
/// references of four megapixels.
const DEFAULT_LIMIT: usize = 192 << 20;

/// What a pipeline has encoded since it was opened, and what it had at hand.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct EncodingTally {
    /// Runs of the text encoder.
    pub prompts: u64,
    /// Runs of the autoencoder's encoder.
    pub pictures: u64,
    /// Encodings that were at hand, of either kind.
    pub reused: u64,
    /// Bytes that are kept now.
    pub bytes: usize,
}

/// The digest of what was encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Key(Kind, [u8; 32]);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Prompt,
    Picture,
}

impl Key {
    /// Of a prompt: its token ids and which of them count.
    pub(crate) fn of_prompt(tokens: &Tokens) -> Self {
        let mut digest = Sha256::new();
        digest.update(tokens.ids.len().to_le_bytes());
        for number in tokens.ids.iter().chain(&tokens.mask) {
            digest.update(number.to_le_bytes());
        }
        Self(Kind::Prompt, digest.finalize().into())
    }

    /// Of a picture as the autoencoder gets it, scaled and cropped already.
    pub(crate) fn of_picture(picture: &RgbImage) -> Self {
        let mut digest = Sha256::new();
        digest.update(picture.width().to_le_bytes());
        digest.update(picture.height().to_le_bytes());
        digest.update(picture.as_raw());
        Self(Kind::Picture, digest.finalize().into())
    }
}

/// The shelf.
pub(crate) struct Encodings(Mutex<Shelf>);

struct Shelf {
    /// The one that was used last is the last.
    entries: Vec<(Key, Tensor<2>)>,
    limit: usize,
    tally: EncodingTally,
}

impl Default for Encodings {
    fn default() -> Self {
        Self(Mutex::new(Shelf {
            entries: Vec::new(),
            limit: DEFAULT_LIMIT,
            tally: EncodingTally::default(),
        }))
    }
}

impl Encodings {
    /// What is kept under `key`, or what `encode` makes, which is then kept.
    ///
    /// # Errors
    /// Those of `encode`; nothing is kept then.
    pub(crate) fn get_or<E>(
        &self,
        key: Key,
        encode: impl FnOnce() -> Result<Tensor<2>, E>,
    ) -> Result<Tensor<2>, E> {
        if let Some(encoding) = self.shelf().take(key) {
            return Ok(encoding);
        }
        let encoding = encode()?;
        self.shelf().put(key, encoding.clone());
        Ok(encoding)
    }

    /// Keeps at most so many bytes from now on; 0 keeps nothing.
    pub(crate) fn limit(&self, bytes: usize) {
        let mut shelf = self.shelf();
        shelf.limit = bytes;
        shelf.shrink();
    }

    /// Gives up all that is kept now.
    pub(crate) fn clear(&self) {
        let mut shelf = self.shelf();
        shelf.entries.clear();
        shelf.tally.bytes = 0;
    }

    pub(crate) fn tally(&self) -> EncodingTally {
        self.shelf().tally
    }

    fn shelf(&self) -> MutexGuard<'_, Shelf> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shelf {
    fn take(&mut self, key: Key) -> Option<Tensor<2>> {
        let at = self.entries.iter().position(|(kept, _)| *kept == key)?;
        self.tally.reused += 1;
        self.entries[at..].rotate_left(1);
        self.entries.last().map(|(_, encoding)| encoding.clone())
    }

    fn put(&mut self, key: Key, encoding: Tensor<2>) {
        match key.0 {
            Kind::Prompt => self.tally.prompts += 1,
            Kind::Picture => self.tally.pictures += 1,
        }
        // Another rendering may have been faster with the same.
        if self.entries.iter().all(|(kept, _)| *kept != key) {
            self.tally.bytes += bytes(&encoding);
            self.entries.push((key, encoding));
        }
        self.shrink();
    }

    fn shrink(&mut self) {
        while self.tally.bytes > self.limit && !self.entries.is_empty() {
            let (_, oldest) = self.entries.remove(0);
            self.tally.bytes -= bytes(&oldest);
        }
    }
}

/// Of f32, which no device exceeds.
fn bytes(encoding: &Tensor<2>) -> usize {
    encoding.dims().iter().product::<usize>() * size_of::<f32>()
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use burn::tensor::Device;

    use super::*;

    fn tokens(id: i64) -> Tokens {
        Tokens {
            ids: vec![id, 0],
            mask: vec![1, 0],
            text: String::new(),
        }
    }

    /// Whether it was made anew.
    fn made(encodings: &Encodings, key: Key) -> bool {
        let mut made = false;
        let Ok(_) = encodings.get_or(key, || {
            made = true;
            Ok::<_, Infallible>(Tensor::zeros([2, 4], &Device::flex()))
        });
        made
    }

    #[test]
    fn keys_tell_everything_apart() {
        let wide = RgbImage::new(32, 16);
        let tall = RgbImage::new(16, 32);
        let mut masked = tokens(1);
        masked.mask[1] = 1;
        let keys = [
            Key::of_picture(&wide),
            Key::of_picture(&tall),
            Key::of_prompt(&tokens(1)),
            Key::of_prompt(&tokens(2)),
            Key::of_prompt(&masked),
        ];
        for (index, key) in keys.iter().enumerate() {
            assert!(keys[..index].iter().all(|other| other != key), "{index}");
        }
    }

    #[test]
    fn what_was_not_used_for_longest_goes_first() {
        let encodings = Encodings::default();
        encodings.limit(64);
        let [a, b, c] = [1, 2, 3].map(|id| Key::of_prompt(&tokens(id)));
        assert!(made(&encodings, a) && made(&encodings, b));
        assert!(!made(&encodings, a), "kept");
        assert!(made(&encodings, c), "takes the place of b");
        assert!(!made(&encodings, a) && made(&encodings, b));
        let tally = encodings.tally();
        assert_eq!((tally.prompts, tally.reused, tally.bytes), (4, 2, 64));
        encodings.clear();
        assert_eq!(encodings.tally().bytes, 0);
        assert!(made(&encodings, a) && !made(&encodings, a), "kept again");
        encodings.limit(0);
        assert_eq!(encodings.tally().bytes, 0);
        assert!(
            made(&encodings, a) && made(&encodings, a),
            "nothing is kept"
        );
    }

    #[test]
    fn what_failed_is_not_kept() {
        let encodings = Encodings::default();
        let key = Key::of_prompt(&tokens(1));
        assert!(encodings.get_or(key, || Err(())).is_err());
        assert!(made(&encodings, key));
        assert_eq!(encodings.tally().prompts, 1);
    }
}
