//! Shapes on a canvas in memory, drawn as the host draws them.

use atelier_draw::{Colour, Point as Place};

use super::Canvas;
use crate::{Point, Refused};

impl Canvas {
    pub(crate) fn lines(
        &self,
        through: &[Point],
        width: f32,
        rgba: [u8; 4],
    ) -> Result<(), Refused> {
        self.draw(|surface| surface.lines(&places(through), width, colour(rgba)))
    }

    pub(crate) fn disc(&self, centre: Point, radius: f32, rgba: [u8; 4]) -> Result<(), Refused> {
        self.draw(|surface| surface.disc(place(centre), radius, colour(rgba)))
    }

    pub(crate) fn ellipse(
        &self,
        centre: Point,
        radii: Point,
        degrees: f32,
        rgba: [u8; 4],
    ) -> Result<(), Refused> {
        self.draw(|surface| surface.ellipse(place(centre), place(radii), degrees, colour(rgba)))
    }

    pub(crate) fn polygon(&self, corners: &[Point], rgba: [u8; 4]) -> Result<(), Refused> {
        self.draw(|surface| surface.polygon(&places(corners), colour(rgba)))
    }
}

fn place(Point { x, y }: Point) -> Place {
    Place { x, y }
}

fn places(points: &[Point]) -> Vec<Place> {
    points.iter().copied().map(place).collect()
}

fn colour([r, g, b, a]: [u8; 4]) -> Colour {
    Colour { r, g, b, a }
}
