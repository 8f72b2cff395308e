import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { readControllerSettings } from "../../../../controller/collect/read-settings.ts";
import { chooseSettings } from "../../../../src/cli/controller-options.ts";
import { FakeClock } from "../../../../src/clock/fake.ts";
import { ApiError } from "../../../../src/kube/api-error.ts";
import { FakeApiServer } from "../../../../src/kube/fake.ts";
import { runLeaderElection } from "../../../../src/kube/leader-election.ts";
import { silentLogger } from "../../../../src/log/log.ts";
import { controllerSettingsSchema } from "../../../../src/settings/controller-settings.ts";
import { formatPublishedSettings, parsePublishedSettings } from "../../../../src/settings/published-settings.ts";

const base = { namespace: "bellhop-system", instance: "a" };

describe("bellhop explain answers with the settings of the controller", () => {
  const limits = { holds: 10, externalIps: 16 };
  const off = { defaultClass: true, metallb: undefined, ignoreExcludeLabel: false, limits };
  const cases: readonly (readonly [string, ...Parameters<typeof chooseSettings>, object])[] = [
    ["nothing is known", {}, undefined, {}, off],
    [
      "the controller says so",
      {},
      { defaultClass: false, ignoreExcludeLabel: true },
      {},
      { ...off, defaultClass: false, ignoreExcludeLabel: true },
    ],
    [
      "the controller honours MetalLB",
      {},
      { metallb: true, metallbNamespace: "lb", metallbClass: "metallb" },
      {},
      { ...off, metallb: { namespace: "lb", loadBalancerClass: "metallb" } },
    ],
    [
      "the controller says otherwise than the environment of this pod, which is older",
      {},
      { defaultClass: true, metallb: false },
      { BELLHOP_DEFAULT_CLASS: "false", BELLHOP_METALLB: "true" },
      off,
    ],
    [
      "no controller has led yet, and the environment is that of the controller",
      {},
      undefined,
      { BELLHOP_DEFAULT_CLASS: "false", BELLHOP_METALLB: "true" },
      { ...off, defaultClass: false, metallb: { namespace: "metallb-system", loadBalancerClass: undefined } },
    ],
    [
      "the command line says otherwise",
      { defaultClass: "true", metallb: "true", metallbNamespace: "own", ignoreExcludeLabel: "true" },
      { defaultClass: false },
      {},
      {
        defaultClass: true,
        metallb: { namespace: "own", loadBalancerClass: undefined },
        ignoreExcludeLabel: true,
        limits,
      },
    ],
    [
      "the controller has other limits for a namespace",
      {},
      { maxHoldsPerNamespace: 0, maxExternalIpsPerNamespace: 100 },
      { BELLHOP_MAX_HOLDS_PER_NAMESPACE: "1" },
      { ...off, limits: { holds: 0, externalIps: 100 } },
    ],
    [
      "no controller has led yet, and the environment has its limits",
      {},
      undefined,
      { BELLHOP_MAX_HOLDS_PER_NAMESPACE: "1", BELLHOP_MAX_EXTERNAL_IPS_PER_NAMESPACE: "2" },
      { ...off, limits: { holds: 1, externalIps: 2 } },
    ],
    ["the command line leaves MetalLB out", { metallb: "false" }, { metallb: true, metallbNamespace: "lb" }, {}, off],
  ];
  for (const [name, options, published, env, expected] of cases) {
    test(`where ${name}`, () => assert.deepEqual(chooseSettings(options, published, env), expected));
  }

  for (const [name, options] of [
    ["MetalLB is not read", { metallbClass: "metallb" }],
    ["the command line leaves MetalLB out", { metallbClass: "metallb", metallb: "false" }],
  ] as const) {
    test(`and refuses --metallb-class where ${name}, because it would have no effect`, () => {
      assert.throws(
        () => chooseSettings(options, undefined, {}),
        /--metallb-class has no effect without --metallb=true/,
      );
    });
  }

  test("and reads them from the lease of the controller that leads, whatever an earlier one wrote", async () => {
    const [client, clock] = [new FakeApiServer(), new FakeClock()];
    const lead = async (settings: object): Promise<void> => {
      const aborter = new AbortController();
      const text = formatPublishedSettings(controllerSettingsSchema.parse({ ...base, ...settings }));
      const election = runLeaderElection(
        {
          client,
          namespace: base.namespace,
          name: "bellhop-controller",
          identity: text,
          annotations: () => ({ "bellhop.dev/settings": text }),
          lead: async () => aborter.abort(),
          clock,
          random: () => 0,
          log: silentLogger,
        },
        aborter.signal,
      );
      await clock.advance(60_000);
      await election;
    };
    assert.equal(await readControllerSettings(client, base.namespace), undefined);
    await lead({ defaultClass: false });
    assert.equal((await readControllerSettings(client, base.namespace))?.defaultClass, false);
    await lead({ metallb: true });
    const found = await readControllerSettings(client, base.namespace);
    const bounds = { maxHoldsPerNamespace: 10, maxExternalIpsPerNamespace: 16 };
    const metallb = { metallb: true, metallbNamespace: "metallb-system" };
    const all = { defaultClass: true, ...metallb, ignoreExcludeLabel: false, ...bounds };
    assert.deepEqual(found, all);
    client.intercept = () => {
      throw new ApiError(403, "Forbidden", "leases is forbidden");
    };
    assert.equal(await readControllerSettings(client, base.namespace), undefined);
  });

  for (const text of [undefined, "", "{", "null", '{"defaultClass":"yes"}']) {
    test(`and not with settings of another form: ${text}`, () => assert.equal(parsePublishedSettings(text), undefined));
  }
});
