import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { FaultLab } from "./fault-lab.ts";
import type { ServerIdentity } from "./proxy.ts";

/** How long nothing works: the next token or certificate is not there yet. */
const gapMs = 5_000;

/** The API server no longer accepts the token, and its successor appears in the file a little later. */
export async function testExpiredToken({ services, table, bystanders, start, stop }: FaultLab): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "bellhop-faults-"));
  const tokenFile = join(folder, "token");
  writeFileSync(tokenFile, "old");
  let accepted = "old";
  const controller = await start({ tokenFile });
  controller.proxy.script = ({ authorization }) =>
    authorization === `Bearer ${accepted}` ? undefined : { kind: "answer", status: 401, reason: "Unauthorized" };
  await services.create(["before"]);
  await services.settle([...bystanders, "before"]);
  accepted = "new";
  controller.proxy.cutWatches();
  await services.create(["meanwhile"]);
  await sleep(gapMs);
  writeFileSync(tokenFile, "new");
  await services.settle([...bystanders, "before", "meanwhile"]);
  await services.delete(["before", "meanwhile"]);
  await services.settle(bystanders);
  await stop(controller);
  rmSync(folder, { recursive: true });
  table.add(
    "401: the token has expired, and its file has the next one 5 s later",
    "a Service is created meanwhile",
    "the file is read again after a 401, without a restart; the Service has one address",
  );
}

/** The API server shows a certificate of another authority, which the file names a little later. */
export async function testReplacedAuthority({ services, table, bystanders, start, stop }: FaultLab): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "bellhop-faults-"));
  const caFile = join(folder, "ca.crt");
  const [old, young] = [createIdentity(folder, "old"), createIdentity(folder, "young")];
  writeFileSync(caFile, old.cert);
  const controller = await start({ tls: { identity: old, caFile } });
  await services.create(["before"]);
  await services.settle([...bystanders, "before"]);
  controller.proxy.changeIdentity(young);
  await services.create(["meanwhile"]);
  await sleep(gapMs);
  writeFileSync(caFile, young.cert);
  await services.settle([...bystanders, "before", "meanwhile"]);
  await services.delete(["before", "meanwhile"]);
  await services.settle(bystanders);
  await stop(controller);
  rmSync(folder, { recursive: true });
  table.add(
    "the API server has a certificate of another authority, and the file names that 5 s later",
    "a Service is created meanwhile",
    "the file is read again after the refusal, without a restart; the Service has one address",
  );
}

/** A certificate for the loopback that is its own authority. */
function createIdentity(folder: string, name: string): ServerIdentity {
  const [keyFile, certFile] = [join(folder, `${name}.key`), join(folder, `${name}.crt`)];
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-noenc", "-keyout", keyFile];
  const names = ["-subj", `/CN=${name}`, "-addext", "subjectAltName=IP:127.0.0.1"];
  execFileSync("openssl", ["req", "-x509", ...key, "-days", "2", ...names, "-out", certFile], { stdio: "ignore" });
  return { key: readFileSync(keyFile, "utf8"), cert: readFileSync(certFile, "utf8") };
}
