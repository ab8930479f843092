//! {{name}}: takes the colour out of a picture, so that the model sees its light and its forms.

use atelier_plugin::{
    Canvas, Description, Failure, Outcome, Plugin, Region, Request, SourceKind, log,
};

mod parameters;

use parameters::Parameters;

/// As many rows at a time: a plugin's memory is limited, a picture's size is not.
const ROWS: u32 = 64;

/// The plugin.
pub struct Grey;

impl Plugin for Grey {
    fn describe() -> Description {
        Description::new(
            "{{name}}",
            env!("CARGO_PKG_VERSION"),
            "Takes the colour out of a picture.",
        )
        .takes([SourceKind::Picture])
        .parameters(include_str!("../parameters.schema.json"))
    }

    fn prepare(request: Request) -> Result<Outcome, Failure> {
        let Parameters { strength } = request.parameters()?;
        let strength = strength.get();
        let picture = request.only_picture()?;
        let size = picture.size();
        let canvas = Canvas::new(size)?;
        for y in (0..size.height).step_by(ROWS as usize) {
            let height = ROWS.min(size.height - y);
            let rows = Region::rows(size, y, height);
            let mut pixels = picture.read(rows)?;
            for pixel in pixels.chunks_exact_mut(4) {
                fade(pixel, strength);
            }
            canvas.write(rows, &pixels)?;
            log::progress((y + height) as f32 / size.height as f32);
        }
        Ok(Outcome::picture(canvas).note("strength", strength.to_string()))
    }
}

atelier_plugin::export!(Grey);

/// Fades R, G and B by `strength` percent: 100 leaves no colour, 0 all of it. Alpha stays.
fn fade(pixel: &mut [u8], strength: u32) {
    let [r, g, b, _] = *pixel else { return };
    // Brightness as in ITU-R BT.601, in parts of 256.
    let grey = (77 * u32::from(r) + 150 * u32::from(g) + 29 * u32::from(b) + 128) >> 8;
    for channel in &mut pixel[..3] {
        *channel = ((u32::from(*channel) * (100 - strength) + grey * strength + 50) / 100) as u8;
    }
}

#[cfg(test)]
mod tests {
    use atelier_plugin::{Failure, Picture, Plugin, Request, Size};

    use super::Grey;

    /// What becomes of one pixel.
    fn made_of(pixel: [u8; 4], parameters: &str) -> Result<Vec<u8>, Failure> {
        let picture = Picture::from_rgba(Size::new(1, 1), pixel.to_vec())?;
        let request = Request::of_picture(picture, parameters, Size::new(64, 64));
        Ok(Grey::prepare(request)?.pictures[0].rgba())
    }

    #[test]
    fn all_colour_goes_unless_the_job_says_otherwise() {
        assert_eq!(made_of([255, 0, 0, 9], "{}"), Ok(vec![77, 77, 77, 9]));
        let none = made_of([255, 0, 0, 9], r#"{ "strength": 0 }"#);
        assert_eq!(none, Ok(vec![255, 0, 0, 9]));
    }

    #[test]
    fn a_parameter_out_of_range_is_refused_by_its_name() {
        let refused = made_of([0; 4], r#"{ "strength": 101 }"#);
        assert!(matches!(refused, Err(Failure::Parameter { name, .. }) if name == "strength"));
    }
}
