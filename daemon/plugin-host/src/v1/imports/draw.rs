//! Drawing on a canvas for a plugin. Coordinates come from anywhere, so what they cost is bounded
//! by the canvas and their count, never by their size.

use atelier_draw::{Colour, Point};
use wasmtime::Result;
use wasmtime::component::Resource;

use super::{region, told};
use crate::call::Call;
use crate::pictures::{Canvas, Picture};
use crate::v1::bindings::atelier::plugin::{draw, pictures};

fn point(draw::Point { x, y }: draw::Point) -> Point {
    Point { x, y }
}

fn points(all: &[draw::Point]) -> Vec<Point> {
    all.iter().copied().map(point).collect()
}

fn colour(draw::Colour { r, g, b, a }: draw::Colour) -> Colour {
    Colour { r, g, b, a }
}

impl draw::Host for Call {
    fn lines(
        &mut self,
        on: Resource<Canvas>,
        through: Vec<draw::Point>,
        width: f32,
        with: draw::Colour,
    ) -> Result<std::result::Result<(), String>> {
        told(self.studio.draw(&on, |surface| {
            surface.lines(&points(&through), width, colour(with))
        }))
    }

    fn disc(
        &mut self,
        on: Resource<Canvas>,
        centre: draw::Point,
        radius: f32,
        with: draw::Colour,
    ) -> Result<std::result::Result<(), String>> {
        told(self.studio.draw(&on, |surface| {
            surface.disc(point(centre), radius, colour(with))
        }))
    }

    fn ellipse(
        &mut self,
        on: Resource<Canvas>,
        centre: draw::Point,
        radii: draw::Point,
        degrees: f32,
        with: draw::Colour,
    ) -> Result<std::result::Result<(), String>> {
        told(self.studio.draw(&on, |surface| {
            surface.ellipse(point(centre), point(radii), degrees, colour(with))
        }))
    }

    fn polygon(
        &mut self,
        on: Resource<Canvas>,
        corners: Vec<draw::Point>,
        with: draw::Colour,
    ) -> Result<std::result::Result<(), String>> {
        told(self.studio.draw(&on, |surface| {
            surface.polygon(&points(&corners), colour(with))
        }))
    }

    fn blit(
        &mut self,
        on: Resource<Canvas>,
        source: Resource<Picture>,
        part: pictures::Region,
        to: draw::Frame,
    ) -> Result<std::result::Result<(), String>> {
        let draw::Frame {
            x,
            y,
            width,
            height,
        } = to;
        let part = region(part);
        told(
            self.studio
                .blit(&on, &source, part, (x, y), (width, height)),
        )
    }
}
