//! A card's arithmetic, operation by operation on the processor, against the reference implementation.

use atelier_flux::{DeviceChoice, OpenOptions, Pipeline, Precision};

use crate::fixture::{Case, Recorder, dev, klein, psnr};

/// What `tests/gpu/run.sh` asks of a card.
const LEAST: [(Precision, f64); 3] = [
    (Precision::F32, 45.0),
    (Precision::Bf16, 30.0),
    (Precision::Fp8, 28.0),
];

#[test]
fn pictures_in_all_precisions_of_a_card_are_near_the_reference() {
    for folder in [klein(), dev()] {
        for (precision, least) in LEAST {
            let options = OpenOptions {
                device: DeviceChoice::Twin,
                precision,
                ..OpenOptions::default()
            };
            let pipeline = Pipeline::open(&folder.join("model"), &options).unwrap();
            for case in &Case::all(&folder) {
                let picture = pipeline.render(&case.request, &mut Recorder::default());
                let psnr = psnr(&picture.unwrap(), &case.expected);
                println!("{} in {precision}: {psnr:.2} dB", case.name);
                assert!(psnr >= least, "{} in {precision}: {psnr:.2} dB", case.name);
            }
        }
    }
}
