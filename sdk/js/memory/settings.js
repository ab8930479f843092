// The host's settings: what a test puts into `testing.settings`, as JSON.

export const SETTINGS = {};

export default { get: (key) => SETTINGS[key] ?? null };
