//! Pictures in tiles against pictures made whole, on the small model's autoencoder.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::Path;

use burn::tensor::{Device, Tensor};

use super::plan::{Chain, Large};
use super::shape::Shape;
use super::*;
use crate::seed;

/// Pixels of the larger pictures: enough for a dozen tiles.
const SIDES: [usize; 2] = [384, 512];

fn vae() -> Vae {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/klein/model/vae");
    let config = fs::read_to_string(folder.join("config.json")).unwrap();
    let config: VaeConfig = serde_json::from_str(&config).unwrap();
    let weights = Weights::open(&folder, "diffusion_pytorch_model").unwrap();
    Vae::layered(&config, &weights).unwrap()
}

/// A latent that is not the same everywhere: still on the left, lively on the right, and a flare in a
/// corner that a sample may miss.
fn latent([height, width]: [usize; 2]) -> Tensor<4> {
    let (rows, columns) = (height / 8, width / 8);
    let mut values = seed::randn(3, 32 * rows * columns);
    for (number, value) in values.iter_mut().enumerate() {
        let (row, column) = (number / columns % rows, number % columns);
        *value *= 0.2 + 1.6 * column as f32 / columns as f32;
        if row < 6 && column < 6 {
            *value += 2.0;
        }
    }
    upload(values, [1, 32, rows, columns], &Device::flex())
}

/// A picture with a plain part, a ramp and a pattern, `[1, 3, height, width]`.
pub(crate) fn picture([height, width]: [usize; 2]) -> Tensor<4> {
    let values = (0..3 * height * width).map(|number| {
        let (row, column) = (number / width % height, number % width);
        match (row < height / 2, column < width / 2) {
            (true, true) => 0.7,
            (true, false) => row as f32 / height as f32 - 0.5,
            _ => ((row * 7 + column * column / 5) % 23) as f32 / 11.5 - 1.0,
        }
    });
    upload(values.collect(), [1, 3, height, width], &Device::flex())
}

/// Less than the whole takes by far: a little more than what the smallest tiles do.
fn tight(peak: impl Fn(Option<u64>) -> Result<u64, NoRoom>) -> u64 {
    let whole = peak(None).unwrap();
    let least = peak(Some(0)).unwrap_err().needed;
    assert!(2 * least < whole, "tiles save little: {least} of {whole}");
    let budget = least + least / 8;
    let planned = peak(Some(budget)).unwrap();
    assert!(planned <= budget, "{planned} of {budget}");
    budget
}

fn values(tensor: Tensor<4>) -> Vec<f32> {
    download(tensor).unwrap()
}

/// In dB, of values whose peak is `range`.
fn psnr(squares: f64, count: usize, range: f64) -> f64 {
    10.0 * (range * range * count as f64 / squares.max(f64::MIN_POSITIVE)).log10()
}

/// As a picture is clamped.
fn clamped(values: Vec<f32>) -> Vec<f32> {
    values.into_iter().map(|x| x.clamp(-1.0, 1.0)).collect()
}

fn squared_error(a: &[f32], b: &[f32]) -> f64 {
    assert_eq!(a.len(), b.len());
    let errors = a.iter().zip(b).map(|(a, b)| f64::from(a - b).powi(2));
    errors.sum()
}

#[test]
fn patches_are_ordered_by_channel_row_column_and_come_back() {
    let values: Vec<f32> = (0..16_u8).map(f32::from).collect();
    let latent = Tensor::<1>::from_floats(values.as_slice(), &Device::flex());
    let latent = latent.reshape([1, 2, 2, 4]);
    let patches = patchify(latent.clone());
    assert_eq!(patches.dims(), [1, 8, 1, 2]);
    let flat: Vec<f32> = patches.clone().into_data().try_into_vec().unwrap();
    assert_eq!(flat[..8], [0., 2., 1., 3., 4., 6., 5., 7.]);
    assert_eq!(unpatchify(patches).into_data(), latent.into_data());
}

#[test]
fn a_picture_decoded_in_tiles_is_the_one_decoded_whole_and_shows_no_seam() {
    let vae = vae();
    let budget = tight(|budget| vae.decode_peak(SIDES, budget));
    let whole = clamped(values(vae.decode(latent(SIDES), None).unwrap()));
    let tiled = clamped(values(vae.decode(latent(SIDES), Some(budget)).unwrap()));
    assert_ne!(whole, tiled, "it was not made in tiles");
    let all = psnr(squared_error(&whole, &tiled), whole.len(), 2.0);
    assert!(all >= 40.0, "{all} dB");

    // Seams are steps from a tile to the next that are not in the whole picture: what the difference
    // of the two does between neighbours is compared at the tiles' borders and elsewhere.
    let input = Shape::of_whole([SIDES[0] / 8, SIDES[1] / 8], vae.latent_channels);
    let Coders::Layered(layered) = &vae.coders else {
        panic!("stages on the processor");
    };
    let chain = Chain::new(&layered.decoder, input, Large::Last);
    let cut = chain.plan(Some(budget)).unwrap().cut.unwrap();
    assert!(cut.tiles.len() >= 6, "{} tiles", cut.tiles.len());
    let width = SIDES[1];
    let starts = |column: usize| cut.tiles.iter().any(|tile| tile[1].start == column);
    let (mut at_seams, mut elsewhere) = ((0.0, 0.0), (0.0, 0.0));
    for (row, of_tiles) in whole.chunks(width).zip(tiled.chunks(width)) {
        for column in 1..width {
            let apart = |column: usize| f64::from(of_tiles[column] - row[column]);
            let step = (apart(column) - apart(column - 1)).powi(2);
            let sum = if starts(column) {
                &mut at_seams
            } else {
                &mut elsewhere
            };
            *sum = (sum.0 + step, sum.1 + 1.0);
        }
    }
    let (at_seams, elsewhere) = (at_seams.0 / at_seams.1, elsewhere.0 / elsewhere.1);
    assert!(at_seams <= 2.0 * elsewhere, "{at_seams} {elsewhere}");
}

#[test]
fn a_picture_encoded_in_tiles_is_the_one_encoded_whole() {
    let vae = vae();
    let budget = tight(|budget| vae.encode_peak(SIDES, budget));
    let whole = values(vae.encode(picture(SIDES), None).unwrap());
    let tiled = values(vae.encode(picture(SIDES), Some(budget)).unwrap());
    assert_ne!(whole, tiled, "it was not made in tiles");
    let most = whole.iter().fold(0.0_f32, |most, x| most.max(x.abs()));
    let all = psnr(
        squared_error(&whole, &tiled),
        whole.len(),
        2.0 * f64::from(most),
    );
    assert!(all >= 40.0, "{all} dB");
}

#[test]
fn what_is_named_as_the_least_is_enough_at_every_size() {
    let vae = vae();
    for sides in [
        [64, 64],
        [64, 512],
        [512, 64],
        [704, 5632],
        [5760, 720],
        [1024, 4096],
        [2048, 2048],
        [1936, 2160],
    ] {
        for peak in [Vae::encode_peak, Vae::decode_peak] {
            let whole = peak(&vae, sides, None).unwrap();
            let least = peak(&vae, sides, Some(0)).unwrap_err().needed;
            assert!(least <= whole, "{sides:?}");
            let planned = peak(&vae, sides, Some(least));
            assert!(planned.is_ok_and(|bytes| bytes <= least), "{sides:?}");
            let refused = peak(&vae, sides, Some(least - 1)).unwrap_err();
            let expected = NoRoom {
                needed: least,
                budget: least - 1,
            };
            assert_eq!(refused, expected, "{sides:?}");
        }
    }
}
