//! What a daemon and its renderer say to each other, over a pair of pipes.
//!
//! A frame is the length of its text, the number of its pictures, the text (JSON of one [`Ask`] or [`Tell`]),
//! and the pixels of each picture after its length; numbers are little-endian. The daemon asks, and the
//! renderer tells until it has told an end: [`Tell::Opened`], [`Tell::Picture`] or [`Tell::Failed`]. After
//! each [`Tell::Reached`] it waits for [`Ask::Go`] or [`Ask::Stop`], so that what is called off stops at the
//! next step and not one later.

use std::io::{self, Read, Write};

use atelier_flux::{Init, Lora, ModelSource, Notice, OpenOptions, Progress, ReferenceCap, Request};
use image::{GrayImage, RgbImage};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::fault::Fault;

/// Longer texts are no frames of ours.
const LONGEST_TEXT: u32 = 16 << 20;
/// Ten references, a picture to begin from and its mask are the most.
const MOST_PICTURES: u32 = 16;
/// Pixels of one picture: far above any that is accepted.
const LARGEST_PICTURE: u64 = 4 << 30;

/// What the daemon asks.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Ask {
    /// Make this model ready.
    Open {
        source: ModelSource,
        options: OpenOptions,
    },
    /// Draw; the pictures are the references, then what to begin from, then its mask.
    Render(Order),
    /// Go on; whether anybody looks at previews.
    Go { previews: bool },
    /// Call it off.
    Stop,
}

/// What the renderer tells.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Tell {
    /// The model is ready.
    Opened,
    /// How far it is; it waits.
    Reached(Progress),
    /// What the user should know.
    Notice(Notice),
    /// A rough picture of what is being made, in the frame's picture.
    Preview(Size),
    /// The picture, in the frame's picture.
    Picture(Size),
    /// It cannot be done.
    Failed {
        /// Why.
        fault: Box<Fault>,
        /// Whether this process ends because of it: what it drives is not to be trusted any more.
        last: bool,
    },
}

/// Width and height in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Size(u32, u32);

impl Size {
    pub(super) fn of(picture: &RgbImage) -> Self {
        Self(picture.width(), picture.height())
    }

    /// The picture of this size.
    pub(super) fn rgb(self, pixels: Vec<u8>) -> io::Result<RgbImage> {
        RgbImage::from_raw(self.0, self.1, pixels)
            .ok_or_else(|| garbled("a picture of another size"))
    }

    fn gray(self, pixels: Vec<u8>) -> io::Result<GrayImage> {
        GrayImage::from_raw(self.0, self.1, pixels).ok_or_else(|| garbled("a mask of another size"))
    }
}

/// A request, less its pictures.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Order {
    prompt: String,
    negative: Option<String>,
    size: Size,
    steps: u32,
    guidance: f32,
    seed: u64,
    reference_cap: ReferenceCap,
    loras: Vec<Lora>,
    references: Vec<Size>,
    /// The bits of the strength, whose last one decides which step is the first, and whether there is a mask.
    init: Option<(u64, bool)>,
}

impl Order {
    /// The order for a request, and the pictures that go with it.
    pub(super) fn of(request: &Request) -> (Self, Vec<&[u8]>) {
        let init = request.init.as_ref();
        let mask = init.and_then(|init| init.mask.as_ref());
        let mut pictures: Vec<&[u8]> = request
            .references
            .iter()
            .map(|one| &one.as_raw()[..])
            .collect();
        pictures.extend(init.map(|init| &init.picture.as_raw()[..]));
        pictures.extend(mask.map(|mask| &mask.as_raw()[..]));
        let order = Self {
            prompt: request.prompt.clone(),
            negative: request.negative.clone(),
            size: Size(request.width, request.height),
            steps: request.steps,
            guidance: request.guidance,
            seed: request.seed,
            reference_cap: request.reference_cap,
            loras: request.loras.clone(),
            references: request.references.iter().map(Size::of).collect(),
            init: init.map(|init| (init.strength.to_bits(), mask.is_some())),
        };
        (order, pictures)
    }

    /// The request, with its pictures.
    pub(super) fn request(self, pictures: Vec<Vec<u8>>) -> io::Result<Request> {
        let mut pictures = pictures.into_iter();
        let mut next = || pictures.next().ok_or_else(|| garbled("too few pictures"));
        let references = self.references.iter().map(|size| size.rgb(next()?));
        let references = references.collect::<io::Result<_>>()?;
        let init = match self.init {
            None => None,
            Some((strength, masked)) => Some(Init {
                picture: self.size.rgb(next()?)?,
                strength: f64::from_bits(strength),
                mask: masked.then(|| self.size.gray(next()?)).transpose()?,
            }),
        };
        Ok(Request {
            prompt: self.prompt,
            negative: self.negative,
            width: self.size.0,
            height: self.size.1,
            steps: self.steps,
            guidance: self.guidance,
            seed: self.seed,
            references,
            loras: self.loras,
            reference_cap: self.reference_cap,
            init,
        })
    }
}

/// Writes one frame.
pub(super) fn write(
    to: &mut impl Write,
    text: &impl Serialize,
    pictures: &[&[u8]],
) -> io::Result<()> {
    let text = serde_json::to_vec(text)?;
    let count = |number: usize| u32::try_from(number).map_err(|_| garbled("too long a frame"));
    to.write_all(&count(text.len())?.to_le_bytes())?;
    to.write_all(&count(pictures.len())?.to_le_bytes())?;
    to.write_all(&text)?;
    for picture in pictures {
        to.write_all(&(picture.len() as u64).to_le_bytes())?;
        to.write_all(picture)?;
    }
    to.flush()
}

/// Reads one frame.
///
/// # Errors
///
/// `UnexpectedEof` when the other side has ended, `InvalidData` when what it says is no frame.
pub(super) fn read<T: DeserializeOwned>(from: &mut impl Read) -> io::Result<(T, Vec<Vec<u8>>)> {
    let (length, count) = (word(from)?, word(from)?);
    if length > LONGEST_TEXT || count > MOST_PICTURES {
        return Err(garbled("no frame"));
    }
    let text = bytes(from, u64::from(length))?;
    let pictures = (0..count).map(|_| {
        let mut length = [0; 8];
        from.read_exact(&mut length)?;
        let length = u64::from_le_bytes(length);
        if length > LARGEST_PICTURE {
            return Err(garbled("too large a picture"));
        }
        bytes(from, length)
    });
    let pictures = pictures.collect::<io::Result<_>>()?;
    Ok((serde_json::from_slice(&text)?, pictures))
}

fn word(from: &mut impl Read) -> io::Result<u32> {
    let mut word = [0; 4];
    from.read_exact(&mut word)?;
    Ok(u32::from_le_bytes(word))
}

/// Grows as bytes come: a length that is a lie costs no memory.
fn bytes(from: &mut impl Read, length: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    from.by_ref().take(length).read_to_end(&mut bytes)?;
    if bytes.len() as u64 == length {
        Ok(bytes)
    } else {
        Err(io::ErrorKind::UnexpectedEof.into())
    }
}

fn garbled(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what.to_owned())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use image::{Luma, Rgb};

    use super::*;

    fn request() -> Request {
        let draw = |side: u32| RgbImage::from_fn(side, side + 1, |x, y| Rgb([x as u8, y as u8, 7]));
        Request {
            prompt: "a fox\n\"in\" the rain, 雨".into(),
            negative: Some(String::new()),
            width: 64,
            height: 80,
            steps: 3,
            guidance: 0.1,
            seed: u64::MAX >> 1,
            references: vec![draw(64), draw(70)],
            loras: vec![Lora {
                path: "style.safetensors".into(),
                scale: -0.3,
            }],
            reference_cap: ReferenceCap::Bfl,
            init: Some(Init {
                picture: RgbImage::from_pixel(64, 80, Rgb([1, 2, 3])),
                strength: 0.1 + 0.2,
                mask: Some(GrayImage::from_pixel(64, 80, Luma([255]))),
            }),
        }
    }

    #[test]
    fn a_request_arrives_as_it_left() {
        let sent = request();
        let (order, pictures) = Order::of(&sent);
        let mut frame = Vec::new();
        write(&mut frame, &Ask::Render(order), &pictures).unwrap();
        let mut from = frame.as_slice();
        let (ask, pictures) = read(&mut from).unwrap();
        assert!(from.is_empty());
        let Ask::Render(order) = ask else {
            panic!("{ask:?}")
        };
        let got = order.request(pictures).unwrap();
        assert_eq!(format!("{got:?}"), format!("{sent:?}"));
        let strength = |request: &Request| request.init.as_ref().unwrap().strength.to_bits();
        assert_eq!(strength(&got), strength(&sent));
    }

    #[test]
    fn what_is_cut_short_or_no_frame_is_an_error() {
        let sent = request();
        let (order, pictures) = Order::of(&sent);
        let mut frame = Vec::new();
        write(&mut frame, &Ask::Render(order), &pictures).unwrap();
        for end in [0, 3, 8, 40, frame.len() / 2, frame.len() - 1] {
            let error = read::<Ask>(&mut &frame[..end]).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof, "{end}");
        }
        let error = read::<Ask>(&mut &[0xff_u8; 64][..]).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
        // A size that its pixels do not fill.
        let (order, mut pictures) = Order::of(&sent);
        pictures.swap(0, 1);
        let pictures = pictures.into_iter().map(<[u8]>::to_vec).collect();
        assert!(order.request(pictures).is_err());
    }
}
