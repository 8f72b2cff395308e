import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { chooseSpecs, limitMs, runsAlone, shortName } from "../../conformance/specs.ts";
import { KUBERNETES_VERSION } from "../../lab/build-cache.ts";

const balancer = "[sig-network] LoadBalancers [Feature:LoadBalancer]";
const affinity = `${balancer} should have session affinity work for LoadBalancer service with Local traffic policy [Slow] [LinuxOnly]`;
const rolling = `${balancer} should not have connectivity disruption during rolling update with externalTrafficPolicy=Cluster [Slow]`;
const switching = `${balancer} should be able to switch session affinity for LoadBalancer service with Local traffic policy [Slow]`;
const protocols =
  "[sig-network] Services should serve endpoints on same port and different protocol for internal traffic on Type LoadBalancer";
const serial =
  "[sig-network] Services should allow creating a basic SCTP service with pod and endpoints [LinuxOnly] [Serial]";
const disruptive = "[sig-network] Services should work after restarting kube-proxy [Disruptive]";
const other = "[sig-network] Proxy version v1 should proxy";
const names = [affinity, rolling, switching, protocols, serial, disruptive, other];

describe("the choice of specs", () => {
  test("quick: about load balancers, without the slow ones", () => {
    assert.deepEqual(chooseSpecs(names, "quick"), [affinity, protocols]);
  });

  test("all: load balancers and Services, without those that need SSH", () => {
    assert.deepEqual(chooseSpecs(names, "all"), [affinity, rolling, switching, protocols, serial]);
  });

  test("only specs that upstream marks as serial run alone", () => {
    assert.deepEqual(names.filter(runsAlone), [serial]);
  });

  test("a rolling update has twice its quarter of an hour", () => {
    assert.equal(limitMs(rolling), 1_800_000);
    assert.ok(limitMs(affinity) < limitMs(rolling));
  });

  test("labels are not shown", () => {
    const local =
      "[sig-network] LoadBalancers ExternalTrafficPolicy: Local [Feature:LoadBalancer] [Slow] should work from pods";
    assert.equal(shortName(local), "ExternalTrafficPolicy: Local should work from pods");
    assert.equal(shortName(protocols), protocols.slice("[sig-network] Services ".length));
  });
});

test("the specs are those of the Kubernetes that the lab runs", () => {
  const module = readFileSync(new URL("../../conformance/e2e/go.mod", import.meta.url), "utf8");
  assert.ok(module.includes(`require k8s.io/kubernetes ${KUBERNETES_VERSION} `));
});
