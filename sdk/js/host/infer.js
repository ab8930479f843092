// The host's infer, in a component whose plugin.toml asks with `model:NAME`: otherwise this module does
// not load, and the build stops. Under node, memory/infer.js takes its place.

export { default } from "atelier:plugin/infer@1.0.0";
