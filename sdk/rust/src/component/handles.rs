//! The host's pictures and canvases, and its drawing.

use super::bindings::atelier::plugin::{draw, pictures};
use crate::{Frame, Point, Refused, Region, Size};

/// The host's `picture`.
#[derive(Debug)]
pub(crate) struct Picture(pictures::Picture);

impl Picture {
    pub(super) fn of(handle: pictures::Picture) -> Self {
        Self(handle)
    }

    pub(crate) fn size(&self) -> Size {
        self.0.size().into()
    }

    pub(crate) fn read(&self, at: Region) -> Result<Vec<u8>, Refused> {
        self.0.read(at.into()).map_err(Refused::because)
    }

    pub(crate) fn resized(&self, to: Size) -> Result<Self, Refused> {
        let resized = self.0.resized(to.into());
        resized.map(Self).map_err(Refused::because)
    }

    pub(crate) fn format(&self) -> Option<String> {
        self.0.format()
    }
}

/// The host's `canvas`.
#[derive(Debug)]
pub(crate) struct Canvas(pictures::Canvas);

impl Canvas {
    pub(crate) fn create(of: Size) -> Result<Self, Refused> {
        let created = pictures::Canvas::create(of.into());
        created.map(Self).map_err(Refused::because)
    }

    pub(crate) fn size(&self) -> Size {
        self.0.size().into()
    }

    pub(crate) fn write(&self, at: Region, pixels: &[u8]) -> Result<(), Refused> {
        self.0.write(at.into(), pixels).map_err(Refused::because)
    }

    pub(crate) fn fill(&self, at: Region, [r, g, b, a]: [u8; 4]) -> Result<(), Refused> {
        self.0
            .fill(at.into(), (r, g, b, a))
            .map_err(Refused::because)
    }

    pub(crate) fn paste(&self, source: &Picture, x: i32, y: i32) {
        self.0.paste(&source.0, x, y);
    }

    pub(crate) fn snapshot(&self) -> Result<Picture, Refused> {
        self.0.snapshot().map(Picture).map_err(Refused::because)
    }

    pub(super) fn into_handle(self) -> pictures::Canvas {
        self.0
    }
}

/// The host's drawing.
impl Canvas {
    pub(crate) fn lines(
        &self,
        through: &[Point],
        width: f32,
        rgba: [u8; 4],
    ) -> Result<(), Refused> {
        draw::lines(&self.0, &places(through), width, colour(rgba)).map_err(Refused::because)
    }

    pub(crate) fn disc(&self, centre: Point, radius: f32, rgba: [u8; 4]) -> Result<(), Refused> {
        draw::disc(&self.0, place(centre), radius, colour(rgba)).map_err(Refused::because)
    }

    pub(crate) fn ellipse(
        &self,
        centre: Point,
        radii: Point,
        degrees: f32,
        rgba: [u8; 4],
    ) -> Result<(), Refused> {
        draw::ellipse(&self.0, place(centre), place(radii), degrees, colour(rgba))
            .map_err(Refused::because)
    }

    pub(crate) fn polygon(&self, corners: &[Point], rgba: [u8; 4]) -> Result<(), Refused> {
        draw::polygon(&self.0, &places(corners), colour(rgba)).map_err(Refused::because)
    }

    pub(crate) fn blit(&self, source: &Picture, part: Region, to: Frame) -> Result<(), Refused> {
        let Frame {
            x,
            y,
            width,
            height,
        } = to;
        let frame = draw::Frame {
            x,
            y,
            width,
            height,
        };
        draw::blit(&self.0, &source.0, part.into(), frame).map_err(Refused::because)
    }
}

fn place(Point { x, y }: Point) -> draw::Point {
    draw::Point { x, y }
}

fn places(points: &[Point]) -> Vec<draw::Point> {
    points.iter().copied().map(place).collect()
}

fn colour([r, g, b, a]: [u8; 4]) -> draw::Colour {
    draw::Colour { r, g, b, a }
}
