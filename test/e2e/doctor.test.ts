import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { CONTROL } from "../lab/addresses.ts";
import { waitFor } from "../lab/wait.ts";
import { useCluster } from "./cluster.ts";
import { createService } from "./workload.ts";

const program = fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url));

describe("bellhop doctor, on a host of the LAN", () => {
  const cluster = useCluster("nftables", "doctor");
  let address = "";

  before(async () => {
    const { api } = cluster();
    await createService(api, "patient", { ipFamilyPolicy: "SingleStack", ipFamilies: ["IPv4"] });
    [address = ""] = await api.waitForAddresses("patient");
    await waitFor({ what: `${address} to be announced`, timeoutMs: 10_000 }, async () => {
      return (await api.get("bellhop.dev/v1beta1", "VirtualIP", address)).status?.node !== undefined;
    });
  });

  async function ask(text: string) {
    const { lab } = cluster();
    const argv = [process.execPath, program, "doctor", text, "--kubeconfig", lab.kubeconfig, "-o", "json"];
    const { code, stdout, stderr } = await lab.exec("client", argv);
    return { code, stderr, finding: stdout === "" ? undefined : (JSON.parse(stdout) as { finding: string }).finding };
  }

  test("an address that its node answers for is as it should be", async () => {
    assert.deepEqual(await ask(address), { code: 0, stderr: "", finding: "AnnouncerAnswers" });
  });

  test("an address of a host outside the cluster is reported as used", async () => {
    assert.deepEqual(await ask(CONTROL.ipv4), { code: 1, stderr: "", finding: "UsedByOtherDevice" });
  });

  test("a text that is not an IPv4 address is refused", async () => {
    const { code, stderr } = await ask("fd30::200");
    assert.equal(code, 2);
    assert.match(stderr, /not an IPv4 address/);
  });
});
