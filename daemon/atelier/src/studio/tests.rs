//! What is not done twice: loading a model, encoding what a batch of seeds shares.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::Path;

use super::*;

/// Counts how often a model was loaded.
#[derive(Default)]
struct Loadings {
    count: u32,
    cancelled: Arc<AtomicBool>,
}

impl Watch for Loadings {
    fn at(&mut self, moment: Moment) {
        self.count += u32::from(moment == Moment::Loading);
    }

    fn cancelled(&self) -> &Arc<AtomicBool> {
        &self.cancelled
    }
}

#[test]
fn a_queue_on_one_model_loads_it_once_and_a_batch_encodes_once() {
    let folder = tempfile::tempdir().unwrap();
    let home = Home::locate(Some(folder.path())).unwrap();
    home.create().unwrap();
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/klein");
    let model = fixtures.join("model");
    let reference = fixtures.join("cases/one-reference/reference-1.png");
    let studio = Studio::new(&home, &Config::default()).unwrap();
    let world = Surroundings::for_command(&studio, home.templates());
    let job = |prompt: &str| {
        let text = format!(
            "manifest = 1\nprompt = {prompt:?}\nmodel = {:?}\nwidth = 64\nheight = 64\nsteps = 1\n\
             seed = [1, 2]\n[[reference]]\npath = {:?}\n",
            model.to_str().unwrap(),
            reference.to_str().unwrap(),
        );
        atelier_manifest::load(&text, &world).unwrap()
    };
    let mut watch = Loadings::default();
    let mut pictures = Vec::new();
    for job in [job("a fox"), job("a hare"), job("a fox")] {
        let prepared = studio.prepare(&job, &job.inputs(), &mut watch).unwrap();
        for seed in seeds(&job).unwrap() {
            let signed = studio.make(&job, &prepared, seed, &mut watch).unwrap();
            pictures.push(image::load_from_memory(&signed.bytes).unwrap());
        }
    }
    assert_eq!(watch.count, 1);
    assert_eq!(
        pictures[..2],
        pictures[4..],
        "what was kept changed a picture"
    );
    assert_ne!(pictures[0], pictures[1]);
    assert_ne!(pictures[0], pictures[2]);
    let Renderer::Here(here) = &studio.renderer else {
        panic!("a studio computes itself unless it is told otherwise")
    };
    let tally = here.pipeline().unwrap().encodings();
    assert_eq!((tally.prompts, tally.pictures, tally.reused), (2, 1, 9));

    studio.unload();
    studio.open(&job("a fox"), &mut watch).unwrap();
    assert_eq!(watch.count, 2);
}
