import { writeFileSync } from "node:fs";
import { folder, generatePages } from "./pages.ts";

// `npm run docs`: writes docs/reference. Needs neither a cluster nor a network.
for (const [file, text] of generatePages()) writeFileSync(new URL(file, folder), text);
