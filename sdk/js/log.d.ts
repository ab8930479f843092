/** What a plugin may tell the user while it works. `console.log` does the same as `info`. */

/** For the plugin's author. */
export function debug(line: string): void;
/** What a curious user wants to know. */
export function info(line: string): void;
/** The result may not be what the user expects. */
export function warn(line: string): void;
/** Why the work fails. */
export function error(line: string): void;
/** How far this call is, 0.0 to 1.0. */
export function progress(fraction: number): void;
