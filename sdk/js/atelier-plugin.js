// What the author of an Atelier plugin imports. atelier-plugin.d.ts has the documentation.
//
// The same code runs in two places. In a component, pictures live in the host and these modules
// call it; under node, for an author's tests, they are plain memory (package.json's "imports" says
// which). `infer`, `random` and `settings` are modules of their own, because a component may only
// import what its plugin.toml asks for.

export * as draw from "./draw.js";
export * as log from "./log.js";
export { Failure, ParameterFailure, Refused, SourceFailure } from "./failures.js";
export { colour, within } from "./checks.js";
export { Canvas, Picture } from "./pictures.js";
export { Request } from "./request.js";
