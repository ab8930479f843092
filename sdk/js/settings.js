// What the user set for this plugin in the configuration, for all jobs. plugin.toml asks for each
// with `setting:KEY`.

import host from "#settings";

import { text } from "./checks.js";
import { ask } from "./failures.js";

export function get(key, otherwise = null) {
    const value = ask(() => host.get(text(key)));
    return value === null || value === undefined ? otherwise : JSON.parse(value);
}
