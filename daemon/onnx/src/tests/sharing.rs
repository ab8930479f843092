//! One model, many callers.

use std::sync::Barrier;

use super::forge;
use super::{floats, models_of};
use crate::{Limits, Trouble};

#[test]
fn threads_share_one_load() {
    let (_folder, models) = models_of(&forge::affine(), Limits::default());
    let (models, together) = (&models, &Barrier::new(4));
    std::thread::scope(|scope| {
        for thread in 0..4_u8 {
            scope.spawn(move || {
                together.wait();
                let x = f32::from(thread);
                let made = models
                    .run("it", vec![floats("x", &[1, 2], &[x, 0.0])], &|| false)
                    .unwrap();
                assert_eq!(
                    made,
                    [floats("y", &[1, 3], &[x + 0.5, 2.0 * x, 3.0 * x - 0.5])]
                );
            });
        }
    });
    assert_eq!(models.loads(), 1);
}

#[test]
fn a_file_that_changed_is_loaded_again() {
    let (folder, models) = models_of(b"no model", Limits::default());
    let path = folder.path().join("it.onnx");
    for _ in 0..2 {
        let answer = models.prepare("it");
        assert!(
            matches!(answer, Err(Trouble::Unusable { .. })),
            "{answer:?}"
        );
    }
    assert_eq!(models.loads(), 1, "what failed is not tried again");

    std::fs::write(&path, forge::affine()).unwrap();
    models.prepare("it").unwrap();
    models.prepare("it").unwrap();
    assert_eq!(models.loads(), 2);

    std::fs::remove_file(&path).unwrap();
    let answer = models.prepare("it");
    assert!(matches!(answer, Err(Trouble::Missing { .. })), "{answer:?}");
}
