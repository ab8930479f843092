/**
 * What the user set for this plugin in the configuration, for all jobs. `plugin.toml` asks for each with
 * `setting:KEY`.
 */

/**
 * The value, as JSON gives it, or `otherwise` (null) where the user set none. Throws `Refused` where nobody
 * granted it.
 */
export function get(key: string, otherwise?: any): any;
