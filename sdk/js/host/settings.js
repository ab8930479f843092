// The host's settings, in a component whose plugin.toml asks with `setting:KEY`: otherwise this module does
// not load, and the build stops. Under node, memory/settings.js takes its place.

export { default } from "atelier:plugin/settings@1.0.0";
