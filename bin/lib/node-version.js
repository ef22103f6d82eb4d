/**
 * Which versions of Node run Keyrite. CommonJS in the syntax of old Nodes, as everything that is
 * read before the answer is known must be.
 */
"use strict";

var OLDEST = "20.19";

/**
 * A sentence that refuses this version of Node, or undefined for one that will do.
 * @param {string} version as process.versions.node has it, e.g. "20.19.0"
 * @returns {string | undefined}
 */
function refusal(version) {
  var least = OLDEST.split(".");
  var parts = version.split(".");
  var major = Number(parts[0]) - Number(least[0]);
  if (major > 0 || (major === 0 && Number(parts[1]) >= Number(least[1]))) return undefined;
  return "Keyrite needs Node ".concat(
    OLDEST,
    " or newer, and this is Node ",
    version,
    "; install a newer one",
  );
}

module.exports = { refusal: refusal };
