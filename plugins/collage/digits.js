// Numbers in the corner of a picture: white strokes on a dark disc, readable on any picture.

import { draw } from "atelier-plugin";

// Each digit is a few lines on a field 4 wide and 6 high.
const STROKES = {
    0: ["1,0 3,0 4,1 4,5 3,6 1,6 0,5 0,1 1,0"],
    1: ["1,1 2,0 2,6", "1,6 3,6"],
    2: ["0,1 1,0 3,0 4,1 4,2 0,6 4,6"],
    3: ["0,0 4,0 2,2.4 3,2.4 4,3.4 4,5 3,6 1,6 0,5"],
    4: ["3,6 3,0 0,4 4,4"],
    5: ["4,0 0,0 0,2.5 3,2.5 4,3.5 4,5 3,6 0,6"],
    6: ["3,0 1,1.5 0,3.5 0,5 1,6 3,6 4,5 4,4 3,3 1,3 0,4"],
    7: ["0,0 4,0 1.5,6"],
    8: ["1,0 3,0 4,1 4,2 3,3 1,3 0,2 0,1 1,0", "1,3 0,4 0,5 1,6 3,6 4,5 4,4 3,3"],
    9: ["4,2 3,3 1,3 0,2 0,1 1,0 3,0 4,1 4,2.5 3,4.5 1,6"],
};
const FIELD = { width: 4, height: 6, step: 5.5 };

/** Draws a number at the top left of a frame; its size follows the frame's. */
export function number(canvas, value, frame) {
    const radius = Math.max(6, Math.min(frame.width, frame.height) / 12);
    const centre = { x: frame.x + radius * 1.25, y: frame.y + radius * 1.25 };
    const digits = [...String(value)];
    const wide = (digits.length - 1) * FIELD.step + FIELD.width;
    const unit = radius / (digits.length > 1 ? 7.5 : 5.5);
    draw.disc(canvas, centre, radius, "#000000c0");
    for (const [at, digit] of digits.entries()) {
        const left = centre.x - (wide / 2 - at * FIELD.step) * unit;
        const top = centre.y - (FIELD.height / 2) * unit;
        for (const stroke of STROKES[digit]) {
            const points = stroke.split(" ").map((place) => {
                const [x, y] = place.split(",").map(Number);
                return { x: left + x * unit, y: top + y * unit };
            });
            draw.lines(canvas, points, unit * 1.2, "#ffffff");
        }
    }
}
