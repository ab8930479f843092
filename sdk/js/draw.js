// Drawing by the host, smooth at the edges: what JavaScript would take seconds for.

import host from "#draw";

import * as checks from "./checks.js";
import { ask } from "./failures.js";

export function lines(canvas, points, width, colour) {
    const through = points.map(checks.point);
    const thick = checks.real("width", width);
    const paint = checks.colour(colour);
    ask(() => host.lines(canvas.handle, through, thick, paint));
}

export function disc(canvas, centre, radius, colour) {
    const at = checks.point(centre);
    const reach = checks.real("radius", radius);
    const paint = checks.colour(colour);
    ask(() => host.disc(canvas.handle, at, reach, paint));
}

export function ellipse(canvas, centre, radii, degrees, colour) {
    const at = checks.point(centre);
    const axes = checks.point(radii);
    const turn = checks.real("degrees", degrees);
    const paint = checks.colour(colour);
    ask(() => host.ellipse(canvas.handle, at, axes, turn, paint));
}

export function polygon(canvas, corners, colour) {
    const places = corners.map(checks.point);
    const paint = checks.colour(colour);
    ask(() => host.polygon(canvas.handle, places, paint));
}

export function blit(canvas, picture, frame, part) {
    const cut = checks.region(part ?? { x: 0, y: 0, ...picture.size });
    const { width, height } = checks.size({ width: cut.width, height: cut.height, ...frame });
    const to = { x: checks.signed("x", frame.x), y: checks.signed("y", frame.y), width, height };
    ask(() => host.blit(canvas.handle, picture.handle, cut, to));
}
