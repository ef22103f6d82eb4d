/** Functions of native libraries, called without an addon of our own. */

export { default as koffi } from "koffi";
