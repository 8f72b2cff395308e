// Ends with 0 when node_modules holds what package-lock.json asks for, with 1 when npm has to install it. Plain
// JavaScript, because it runs on whichever Node the machine has before the project's own is installed.
import { existsSync, readFileSync } from "node:fs";

const read = (path) => JSON.parse(readFileSync(path, "utf8")).packages;
// npm's own note of what it has installed, written last of all.
const note = "node_modules/.package-lock.json";

function isInstalled() {
  if (!existsSync(note)) return false;
  const installed = read(note);
  return Object.entries(read("package-lock.json")).every(([path, wanted]) => {
    if (path === "" || wanted.link) return true;
    const found = installed[path];
    // Optional packages are for other processors and systems, and may be absent; but never in another version.
    if (found === undefined) return wanted.optional === true;
    return found.version === wanted.version && existsSync(path);
  });
}

process.exitCode = isInstalled() ? 0 : 1;
