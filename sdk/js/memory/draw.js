// The host's drawing: checked, and remembered on the canvas. See raster.js.

import { refuse } from "./raster.js";

const call =
    (name, places, sizes) =>
    (canvas, ...rest) => {
        if (places(rest).some(({ x, y }) => !Number.isFinite(x + y))) {
            refuse("a coordinate is no finite number");
        }
        if (sizes(rest).some((size) => !(size > 0))) refuse("a width, radius or size is not above 0");
        canvas.raster.drawn.push([name, ...rest]);
    };

export default {
    lines: call("lines", ([points]) => points, ([, width]) => [width]),
    disc: call("disc", ([centre]) => [centre], ([, radius]) => [radius]),
    ellipse: call("ellipse", ([centre]) => [centre], ([, radii]) => [radii.x, radii.y]),
    polygon: call("polygon", ([corners]) => corners, () => []),
    blit: call("blit", () => [], ([, , to]) => [to.width, to.height]),
};
