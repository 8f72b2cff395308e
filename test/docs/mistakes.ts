import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Lab } from "../lab/lab.ts";
import { downLab } from "../lab/lab.ts";
import { showProgress } from "../lab/progress.ts";
import { upLab } from "../lab/up.ts";
import { waitFor } from "../lab/wait.ts";
import { installProduct } from "../product/install.ts";
import { introduction, type Mistake, mistakes, mistakesHead, preparation } from "./mistake-list.ts";

const file = fileURLToPath(new URL("../../docs/mistakes.md", import.meta.url));

/** The alias as a function; kubectl says by itself that the command ended with another code than 0, which the text says too. */
const prelude = `bellhop() { kubectl -n bellhop-system exec -i deploy/bellhop-controller -- bellhop "$@" 2>&1 | grep -v '^command terminated'; }\n`;

/** Runs a line as it is shown, and gives all that it printed. */
async function run(lab: Lab, line: string, input?: string): Promise<string> {
  const { stdout, stderr } = await lab.exec(
    "control",
    ["sh", "-c", prelude + line],
    input === undefined ? {} : { input },
  );
  return `${stdout}${stderr}`.trimEnd();
}

/** Makes one mistake, asks until the answer is there, and gives the chapter about it. */
async function make(lab: Lab, mistake: Mistake): Promise<string> {
  const { title, manifest, apply, ask, until } = mistake;
  const applied = await run(lab, apply, manifest);
  const answers = await waitFor(
    { what: `${title}: an answer with ${until}`, timeoutMs: 20_000, intervalMs: 500 },
    async () => {
      const printed: string[] = [];
      for (const line of ask) printed.push(`$ ${line}\n${await run(lab, line, manifest)}`);
      return [applied, ...printed].some((text) => until.test(text)) ? printed : undefined;
    },
  );
  const shown = [`$ ${apply}\n${applied}`, ...answers].join("\n\n");
  return `${introduction(mistake)}\n\`\`\`console\n${shown}\n\`\`\`\n`;
}

/** Writes docs/mistakes.md from a lab of its own, or from the one that is named, which must have no pools and is left running. */
async function main(given: string | undefined): Promise<void> {
  const progress = showProgress(process.stderr);
  const name = given ?? "mistakes";
  const lab = await upLab({ name, nodes: 3, proxy: "nftables" }, progress);
  await installProduct(lab, progress);
  await run(lab, "kubectl apply -f -", preparation);
  await lab.kubectl(["rollout", "status", "daemonset/web", "--timeout=60s"], undefined, 70_000);
  const chapters: string[] = [];
  try {
    for (const mistake of mistakes) {
      chapters.push(await progress.step(mistake.title, () => make(lab, mistake)));
      if (mistake.cure !== undefined) await run(lab, mistake.cure);
    }
  } finally {
    await run(
      lab,
      "kubectl delete services --field-selector metadata.name!=kubernetes; kubectl delete ipaddresspools --all; kubectl delete daemonset web",
    );
    if (given === undefined) await downLab(name);
  }
  writeFileSync(file, `${mistakesHead}${chapters.join("")}`);
}

await main(process.argv[2]);
