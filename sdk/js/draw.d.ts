/**
 * Drawing by the host, smooth at the edges: what JavaScript would take seconds for.
 *
 * Coordinates are in pixels and may lie outside. Colours are laid over what is there, by their alpha.
 * What cannot be drawn is thrown as `Refused`: a coordinate that is no finite number, a width, radius or
 * size that is not above 0, more than 10000 points.
 */

import type { Canvas, Colour, Picture, Point, Region } from "./atelier-plugin.js";

/** Lines from each point to the next, round at ends and corners. One point is a dot. */
export function lines(canvas: Canvas, points: readonly Point[], width: number, colour: Colour): void;

/** A filled disc. */
export function disc(canvas: Canvas, centre: Point, radius: number, colour: Colour): void;

/** A filled ellipse: half its axes, and the turn of the first from the right, clockwise, in degrees. */
export function ellipse(canvas: Canvas, centre: Point, radii: Point, degrees: number, colour: Colour): void;

/**
 * A filled polygon, closed from the last corner to the first. Where it crosses itself, the even-odd rule
 * says what is inside.
 */
export function polygon(canvas: Canvas, corners: readonly Point[], colour: Colour): void;

/** Where a picture goes: its top left corner in whole pixels, and the size that it gets, its own if left out. */
export interface Frame {
    readonly x: number;
    readonly y: number;
    readonly width?: number;
    readonly height?: number;
}

/**
 * Lays a picture, or a part of it, over the canvas by its alpha, brought to the frame's size (Lanczos,
 * three lobes). What falls outside is dropped.
 */
export function blit(canvas: Canvas, picture: Picture, frame: Frame, part?: Region): void;
