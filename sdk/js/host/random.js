// The host's random, in a component whose plugin.toml asks with `random`: otherwise this module does
// not load, and the build stops. Under node, memory/random.js takes its place.

export { default } from "atelier:plugin/random@1.0.0";
