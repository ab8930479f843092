//! Places and shapes against diffusers, and what holds for all of them.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "../../tests/golden/fnv.rs"]
mod fnv;

use std::collections::HashSet;

use burn::tensor::Device;
use proptest::prelude::*;
use serde::Deserialize;

use super::*;

#[derive(Deserialize)]
struct Row {
    prompt: usize,
    output: [u32; 2],
    references: Vec<[u32; 2]>,
    last: [u32; 4],
    fnv: String,
}

fn grid([rows, columns]: [u32; 2]) -> Grid {
    Grid { rows, columns }
}

#[test]
fn places_are_the_position_ids_of_diffusers() {
    let rows = include_str!("../../tests/golden/places.json");
    for row in serde_json::from_str::<Vec<Row>>(rows).unwrap() {
        let references: Vec<_> = row.references.iter().copied().map(grid).collect();
        let places = places(row.prompt, grid(row.output), &references);
        let name = format!("{:?} with {:?}", row.output, row.references);
        assert_eq!(*places.last().unwrap(), row.last, "{name}");
        let bytes = places
            .iter()
            .flatten()
            .flat_map(|place| place.to_le_bytes());
        assert_eq!(fnv::fnv(bytes), row.fnv, "{name}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Two tokens at one place could not be told apart but for prompt and output, which meet at the
    /// origin in the reference too.
    #[test]
    fn no_two_tokens_but_the_first_share_a_place(
        prompt in 1_usize..600,
        output in [1_u32..40, 1_u32..40],
        references in prop::collection::vec([1_u32..24, 1_u32..24], 0..=10),
    ) {
        let references: Vec<_> = references.into_iter().map(grid).collect();
        let output = grid(output);
        let places = places(prompt, output, &references);
        let tokens: usize = references.iter().map(|grid| grid.tokens()).sum();
        prop_assert_eq!(places.len(), prompt + output.tokens() + tokens);
        let distinct: HashSet<_> = places.iter().collect();
        prop_assert_eq!(distinct.len() + 1, places.len());
        prop_assert_eq!(places[0], places[prompt]);
    }

    /// Sides of a picture are multiples of 16, and each square of 16 pixels is one token.
    #[test]
    fn a_picture_has_a_token_for_each_square(rows in 1_u32..256, columns in 1_u32..256) {
        let grid = Grid::of_picture(columns * TOKEN_PIXELS, rows * TOKEN_PIXELS);
        prop_assert_eq!(grid, Grid { rows, columns });
        prop_assert_eq!(grid.shape(128).iter().product::<usize>(), 128 * grid.tokens());
    }
}

#[test]
fn places_count_prompt_then_output_then_references() {
    let output = Grid::of_picture(32, 16);
    let references = [
        Grid {
            rows: 2,
            columns: 1,
        },
        Grid {
            rows: 1,
            columns: 1,
        },
    ];
    assert_eq!(
        places(2, output, &references),
        [
            [0, 0, 0, 0],
            [0, 0, 0, 1],
            [0, 0, 0, 0],
            [0, 0, 1, 0],
            [10, 0, 0, 0],
            [10, 1, 0, 0],
            [20, 0, 0, 0]
        ]
    );
}

#[test]
fn tokens_are_row_major_and_come_back() {
    let grid = Grid {
        rows: 2,
        columns: 3,
    };
    let values: Vec<f32> = (0..12_u8).map(f32::from).collect();
    let patches = Tensor::<1>::from_floats(values.as_slice(), &Device::flex());
    let patches = patches.reshape(grid.shape(2));
    let tokens = to_tokens(patches);
    let flat: Vec<f32> = tokens.clone().into_data().try_into_vec().unwrap();
    assert_eq!(flat, [0., 6., 1., 7., 2., 8., 3., 9., 4., 10., 5., 11.]);
    let back: Vec<f32> = to_patches(tokens, grid).into_data().try_into_vec().unwrap();
    assert_eq!(back, values);
}
