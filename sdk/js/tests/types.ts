// The types say what is right and refuse what is wrong. Nothing here runs: tsc reads it.

import { Canvas, Picture, Refused, colour, draw, log, within } from "atelier-plugin";
import type { Outcome, Request } from "atelier-plugin";
import * as infer from "atelier-plugin/infer";
import * as random from "atelier-plugin/random";
import * as settings from "atelier-plugin/settings";
import * as testing from "atelier-plugin/testing";

export const takes = ["picture"];

export function prepare(request: Request<{ width: number; label?: string }>): Outcome {
    const picture: Picture = request.onlyPicture();
    const small = picture.resized(within(picture.size, { width: request.parameters.width, height: 64 }));
    const pixels: Uint8Array = small.read({ x: 0, y: 0, width: 1, height: 1 });
    const canvas = new Canvas(request.output, "#ffffff");
    canvas.write(pixels, { x: 0, y: 0, width: 1, height: 1 });
    canvas.fill({ r: 1, g: 2, b: 3 });
    canvas.paste(small, -1, 2);
    draw.lines(canvas, [{ x: 0, y: 0.5 }], 2, "#00000080");
    draw.blit(canvas, canvas.snapshot(), { x: 0, y: 0 }, { x: 0, y: 0, width: 1, height: 1 });
    const { a } = colour("#123456");
    log.progress(a / 255);
    const [out] = infer.run("joints", [{ shape: [1], numbers: [random.number()] }]);
    const shape: readonly number[] = out!.shape;
    try {
        settings.get("studio", "nobody");
    } catch (error) {
        if (error instanceof Refused && error.kind === "denied") log.warn(error.message);
    }
    return { pictures: [canvas], notes: { shape: shape.join(" "), bytes: random.bytes(2).length } };
}

export function wrong(request: Request<{ width: number }>, canvas: Canvas, picture: Picture): void {
    // @ts-expect-error: a picture comes from the host.
    new Picture({});
    // @ts-expect-error: a canvas is no picture yet; snapshot() makes one.
    canvas.paste(canvas, 0, 0);
    // @ts-expect-error: there is no such parameter.
    request.parameters.height;
    // @ts-expect-error: sizes have names.
    new Canvas([64, 64]);
    // @ts-expect-error: pictures do not change.
    picture.size.width = 1;
    // @ts-expect-error: plain lists are no pixels.
    canvas.write([0, 0, 0, 255]);
    // @ts-expect-error: a tensor's numbers are of three kinds.
    infer.run("joints", [{ shape: [1], numbers: [1], kind: "doubles" }]);
    // @ts-expect-error: the host's refusals have four kinds.
    new Refused("no", "never");
    // @ts-expect-error: what comes out are canvases.
    const outcome: Outcome = { pictures: [picture] };
    testing.request([picture], {}, outcome.pictures![0]!.size);
}
