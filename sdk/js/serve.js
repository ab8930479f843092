// Makes a component of an author's module: what the interface `preparer` wants.
//
// `atelier plugin build` writes a module that calls `preparer` once, while the component is built.
// Whatever happens in the author's code ends as an answer: a trap would tell the user nothing.

import { text } from "./checks.js";
import { close } from "./closed.js";
import { Failure, ParameterFailure, SourceFailure } from "./failures.js";
import * as log from "./log.js";
import { Canvas, Picture } from "./pictures.js";
import { Request } from "./request.js";
import { Schema } from "./schema.js";

const KINDS = ["picture", "document"];

/** What the component exports; throws, and so stops the build, where the module is no plugin. */
export function preparer(plugin, name, version, summary, schema) {
    if (typeof plugin.prepare !== "function") {
        throw new TypeError("plugin.js does not export a function prepare(request)");
    }
    const takes = plugin.takes;
    if (!Array.isArray(takes) || takes.length === 0 || takes.some((one) => !KINDS.includes(one))) {
        throw new TypeError('plugin.js must export const takes = ["picture"], ["document"] or both');
    }
    const checks = new Schema(schema);
    close();
    return {
        describe: () => ({ name, version, summary, parameters: schema, takes }),
        prepare: (request) => {
            let lowered;
            try {
                lowered = lower(plugin.prepare(lift(request, checks)));
            } catch (error) {
                throw refusal(error);
            }
            return lowered;
        },
    };
}

export function lift({ sources, parameters, output }, checks) {
    const lifted = sources.map(({ tag, val }) => (tag === "picture" ? new Picture(val) : val));
    return new Request(lifted, checks.parameters(parameters), output);
}

export function lower(outcome) {
    if (typeof outcome?.then === "function") {
        throw new TypeError("prepare is async, and a plugin has nothing to wait for");
    }
    if (outcome === null || typeof outcome !== "object") {
        throw new TypeError("prepare returned no outcome: return { pictures: [canvas] }");
    }
    const { pictures = [], prompt, keypoints, notes = {} } = outcome;
    for (const [at, canvas] of pictures.entries()) {
        if (!(canvas instanceof Canvas)) {
            throw new TypeError(`the outcome's picture ${at} is not a Canvas`);
        }
        if (pictures.indexOf(canvas) !== at) {
            throw new TypeError("one canvas is twice among the outcome's pictures");
        }
    }
    const json = typeof keypoints === "object" && keypoints !== null;
    return {
        pictures: pictures.map((canvas) => canvas.handle),
        prompt: prompt === undefined || prompt === null ? null : text(prompt),
        keypoints: json ? JSON.stringify(keypoints) : keypoints ? text(keypoints) : null,
        notes: Object.entries(notes).map(([key, value]) => ({ key: text(key), value: text(value) })),
    };
}

/** A case of the variant `failure`. What is no Failure of the SDK's is also logged. */
export function refusal(error) {
    if (error instanceof ParameterFailure) {
        return { tag: "parameter", val: [text(error.parameter), text(error.reason)] };
    }
    if (error instanceof SourceFailure) return { tag: "source", val: text(error.message) };
    if (error instanceof Failure) return { tag: "other", val: text(error.message) };
    const places = String(error?.stack ?? "").match(/^ *at .*$/gm) ?? [];
    // The innermost in the author's own code.
    const place = places.find((at) => !at.includes("/node_modules/atelier-plugin/")) ?? places[0];
    const line = text(place ? `${error} (${place.trim()})` : error);
    log.error(line);
    return { tag: "other", val: line };
}
