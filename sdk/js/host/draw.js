// The host's draw, in a component. Under node, memory/draw.js takes its place.

export { default } from "atelier:plugin/draw@1.0.0";
