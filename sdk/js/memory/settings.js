// The host's settings: what a test puts into `testing.settings`.

export const SETTINGS = {};

export default {
    get: (key) => (Object.hasOwn(SETTINGS, key) ? JSON.stringify(SETTINGS[key]) : null),
};
