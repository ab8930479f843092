// Discs and ellipses, as the host draws them: the formulas are those of sdk/draw/src/oval.rs and
// turn.rs, whose sine is the same on every machine.

import { WHOLE, clamp, touched } from "./raster.js";

const LINES = 16;
const PARTS = WHOLE / LINES;

/** A filled ellipse, its first axis turned clockwise from the right. */
export function ellipse(on, { x, y }, radii, degrees, paint) {
    const [a, b] = [radii.x, radii.y];
    const { cosine, sine } = turn(degrees);
    const height = a * sine * (a * sine) + b * cosine * (b * cosine);
    const slant = ((a - b) * (a + b) * sine * cosine) / height;
    const breadth = (a * b) / height;
    const halfWidth = Math.sqrt(a * cosine * (a * cosine) + b * sine * (b * sine));
    const halfHeight = Math.sqrt(height);
    const { from, to } = touched(on.width, x - halfWidth, x + halfWidth);
    const rows = touched(on.height, y - halfHeight, y + halfHeight);
    if (from === to) return;
    for (let row = rows.from; row < rows.to; row++) {
        const steps = new Int32Array(to - from + 1);
        for (let line = 0; line < LINES; line++) {
            const v = row + (line + 0.5) / LINES - y;
            const inside = height - v * v;
            if (inside <= 0) continue;
            const middle = x + slant * v;
            const half = breadth * Math.sqrt(inside);
            step(steps, middle - half - from, 1);
            step(steps, middle + half - from, -1);
        }
        let sum = 0;
        const coverages = steps.map((change) => (sum += change));
        on.cover(row, from, coverages.subarray(0, to - from), paint);
    }
}

/** All that is right of `x` is inside (1) or outside again (-1) on one line. */
function step(steps, x, sign) {
    const last = steps.length - 1;
    const parts = clamp(Math.floor(x * PARTS + 0.5), 0, last * PARTS);
    const pixel = Math.floor(parts / PARTS);
    const part = parts % PARTS;
    steps[pixel] += sign * (PARTS - part);
    if (pixel < last) steps[pixel + 1] += sign * part;
}

/** Of any angle in degrees; multiples of 90° are exact. */
function turn(degrees) {
    const turned = degrees % 360;
    const quarter = Math.trunc(turned / 90 + (turned < 0 ? -0.5 : 0.5));
    const rest = (turned - quarter * 90) * (Math.PI / 180);
    const sine = series(rest, 1);
    const cosine = series(rest, 0);
    return [
        { cosine, sine },
        { cosine: -sine, sine: cosine },
        { cosine: -cosine, sine: -sine },
        { cosine: sine, sine: -cosine },
    ][((quarter % 4) + 4) % 4];
}

function series(x, first) {
    let term = first ? x : 1;
    let sum = term;
    for (let n = 1; n < 10; n++) {
        const k = first + 2 * n;
        term *= (-x * x) / (k * (k - 1));
        sum += term;
    }
    return sum;
}
