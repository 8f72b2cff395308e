import { flushCompileCache } from "node:module";

/** Preloaded into each process: writes down what it has compiled once it has begun, because most programs of the tests are killed and write nothing at their end. */
setTimeout(flushCompileCache, 10_000).unref();
