// The host's log, in a component. Under node, memory/log.js takes its place.

export { default } from "atelier:plugin/log@1.0.0";
