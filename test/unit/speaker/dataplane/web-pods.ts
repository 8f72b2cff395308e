import { endpoint, port, slice } from "./fake-node.ts";

/** A port of the Service `web` without a node port. */
export const pods = port({ nodePort: 0 });

/** Its endpoints, on this node if nothing else is said. */
export const local = slice([endpoint("10.244.1.2")]);
export const remote = slice([endpoint("10.244.2.2", "n2")]);
export const unready = slice([endpoint("10.244.1.2", "n1", { ready: false, serving: false })]);
export const local6 = slice([endpoint("fd01::2")], { key: "default/web-6" });
