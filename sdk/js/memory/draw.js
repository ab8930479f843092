// The host's drawing, with its bytes, rules and sentences.

import { lines } from "./lines.js";
import { ellipse } from "./ovals.js";
import { possible } from "./pictures.js";
import { polygon } from "./polygons.js";
import { Raster, refuse } from "./raster.js";
import { lanczos } from "./resample.js";

const MOST_POINTS = 10000;

/** The nearest number of 32 bits, which is what reaches the host. */
function finite(what, number) {
    const single = Math.fround(number);
    if (!Number.isFinite(single)) refuse(`${what} is ${single}, which is no finite number`);
    return single;
}

function aboveZero(what, number) {
    const single = finite(what, number);
    if (single <= 0) refuse(`${what} is ${single}, and it must be above 0`);
    return single;
}

const place = ({ x, y }) => ({ x: finite("a coordinate", x), y: finite("a coordinate", y) });

function places(points) {
    if (points.length > MOST_POINTS) {
        refuse(`${points.length} points are more than the ${MOST_POINTS} that one call draws`);
    }
    return points.map(place);
}

export default {
    lines(canvas, points, width, colour) {
        const through = places(points);
        lines(canvas.raster, through, aboveZero("the width", width) / 2, colour);
    },

    disc(canvas, centre, radius, colour) {
        const at = place(centre);
        const reach = aboveZero("the radius", radius);
        ellipse(canvas.raster, at, { x: reach, y: reach }, 0, colour);
    },

    ellipse(canvas, centre, { x, y }, degrees, colour) {
        const at = place(centre);
        const radii = { x: aboveZero("a radius", x), y: aboveZero("a radius", y) };
        ellipse(canvas.raster, at, radii, finite("the turn", degrees), colour);
    },

    polygon(canvas, corners, colour) {
        polygon(canvas.raster, places(corners), colour);
    },

    blit(canvas, picture, part, { x, y, width, height }) {
        const pixels = picture.read(part);
        possible({ width, height });
        const scaled = lanczos(pixels, part, { width, height });
        canvas.raster.layOver(new Raster(width, height, scaled), x, y);
    },
};
