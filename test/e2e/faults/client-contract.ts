import assert from "node:assert/strict";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import type { Lab } from "../../lab/lab.ts";

const file = fileURLToPath(new URL("../../unit/src/kube/client.test.ts", import.meta.url));

/** Runs the contract test of API clients, which also the fake API server passes, on the API server of the lab. */
export async function testClientContract(lab: Lab): Promise<void> {
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const flags = ["--test-reporter=tap", "--test-name-pattern=a real API server"];
  const child = lab.spawnInNetwork("control", [process.execPath, ...flags, file], {
    stdio: ["ignore", "pipe", "inherit"],
    // Undefined removes the variable that is inherited: with it, Node runs no tests inside of a test.
    env: { ...env, NODE_TEST_CONTEXT: undefined, BELLHOP_TEST_KUBECONFIG: lab.kubeconfig },
  });
  const [output, [code]] = await Promise.all([text(child.stdout ?? assert.fail("no output")), once(child, "close")]);
  assert.equal(code, 0, output);
  assert.match(output, /ok \d+ - creates, reads, changes and deletes\n/);
  assert.match(output, /ok \d+ - a Service's status/);
  assert.doesNotMatch(output, /a real API server # SKIP/);
}
