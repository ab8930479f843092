// The host's pictures, in a component. Under node, memory/pictures.js takes its place.

export { default } from "atelier:plugin/pictures@1.0.0";
