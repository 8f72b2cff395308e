import fc from "fast-check";
import type { Endpoint, EndpointSliceView } from "../../../../src/model/endpoint-slice.ts";
import type { ServicePort, ServiceView } from "../../../../src/model/service.ts";
import { service, slice } from "./fake-node.ts";

const someEndpoint: fc.Arbitrary<Endpoint> = fc
  .record({
    host: fc.integer({ min: 1, max: 5 }),
    nodeName: fc.constantFrom("n1", "n2", undefined),
    ready: fc.boolean(),
    serving: fc.boolean(),
    terminating: fc.boolean(),
  })
  .map(({ host, ...rest }) => ({ address: `10.244.1.${host}`, ...rest }));

const somePort: fc.Arbitrary<ServicePort> = fc.record({
  name: fc.constantFrom("", "dns"),
  protocol: fc.constantFrom("TCP", "UDP"),
  port: fc.constantFrom(53, 80),
  nodePort: fc.constantFrom(0, 30053, 30080),
});

export const someSlice: fc.Arbitrary<EndpointSliceView> = fc
  .record({
    endpoints: fc.array(someEndpoint, { maxLength: 4 }),
    ports: fc.array(
      fc.record({
        name: fc.constantFrom("", "dns"),
        protocol: fc.constantFrom("TCP" as const, "UDP" as const),
        port: fc.constantFrom(5353, 8080),
      }),
      { maxLength: 2 },
    ),
  })
  .map(({ endpoints, ports }) => slice(endpoints, { ports, family: "IPv4" }));

/** A Service, its slices and its addresses, put while nft works or fails. */
export interface Step {
  readonly view: ServiceView;
  readonly slices: readonly EndpointSliceView[];
  readonly addresses: readonly string[];
  readonly fails: boolean;
}

export const someStep: fc.Arbitrary<Step> = fc.record({
  view: fc
    .record({
      key: fc.constantFrom("default/a", "default/b", "default/c"),
      ports: fc.uniqueArray(somePort, {
        maxLength: 2,
        selector: ({ protocol, port: number }) => `${protocol} ${number}`,
      }),
      externalTrafficPolicy: fc.constantFrom("Cluster" as const, "Local" as const),
      affinityTimeoutSeconds: fc.constantFrom(undefined, 10),
      sourceRanges: fc.subarray(["10.0.0.0/8", "10.1.0.0/16", "0.0.0.0/0", "nonsense", "2001:db8::/32"]),
    })
    .map((change) => service(change)),
  slices: fc.array(someSlice, { maxLength: 3 }),
  addresses: fc.subarray(["192.0.2.200", "192.0.2.201", "2001:db8::200"]),
  fails: fc.boolean(),
});
