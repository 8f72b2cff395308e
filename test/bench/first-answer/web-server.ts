import { createServer } from "node:http";

/** Stands for a pod: answers HTTP on port 8080. */
createServer((_, response) => response.end("web\n")).listen(8080, "::", () => process.stdout.write("ready\n"));
