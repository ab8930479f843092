//! Renders one picture and says how long each stage took.
//!
//! `render MODEL-FOLDER PROMPT OUTPUT.png [WIDTH HEIGHT [REFERENCE…]]`

use std::error::Error;
use std::ops::ControlFlow;
use std::time::Instant;

use atelier_flux::{Observer, OpenOptions, Pipeline, Progress, Request};

/// Prints each report with the seconds since the last one.
struct Clock(Instant);

impl Observer for Clock {
    fn progress(&mut self, progress: Progress) -> ControlFlow<()> {
        eprintln!("{:8.3} s  {progress:?}", self.0.elapsed().as_secs_f64());
        self.0 = Instant::now();
        ControlFlow::Continue(())
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [model, prompt, output, rest @ ..] = &arguments[..] else {
        return Err(
            "usage: render MODEL-FOLDER PROMPT OUTPUT.png [WIDTH HEIGHT [REFERENCE…]]".into(),
        );
    };
    let (size, references) = rest.split_at(rest.len().min(2));
    let side = |index: usize| size.get(index).map_or(Ok(256), |side| side.parse::<u32>());

    let began = Instant::now();
    let pipeline = Pipeline::open(model.as_ref(), &OpenOptions::default())?;
    eprintln!("{:8.3} s  open", began.elapsed().as_secs_f64());
    let open = |path: &String| image::open(path).map(image::DynamicImage::into_rgb8);
    let request = Request {
        prompt: prompt.clone(),
        width: side(0)?,
        height: side(1)?,
        steps: pipeline.info().default_steps,
        guidance: pipeline.info().default_guidance,
        seed: 42,
        references: references.iter().map(open).collect::<Result<_, _>>()?,
        ..Request::default()
    };
    let mut clock = Clock(Instant::now());
    let picture = pipeline.render(&request, &mut clock)?;
    eprintln!("{:8.3} s  done", clock.0.elapsed().as_secs_f64());
    picture.save(output)?;
    Ok(())
}
