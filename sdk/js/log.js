// What a plugin may tell the user while it works. `console.log` does the same as `info`.

import host from "#log";

import { real, text } from "./checks.js";

export const debug = (line) => host.write("debug", text(line));
export const info = (line) => host.write("info", text(line));
export const warn = (line) => host.write("warn", text(line));
export const error = (line) => host.write("error", text(line));
export const progress = (fraction) => host.progress(real("fraction", fraction));
