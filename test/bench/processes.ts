import type { Lab } from "../lab/lab.ts";

/** One process of Bellhop on a node, as the node's own /proc tells. */
export interface ProcessFigures {
  readonly component: string;
  readonly node: string;
  /** Resident memory, and the part of it that no file backs, in MiB. */
  readonly residentMiB: number;
  readonly anonymousMiB: number;
  /** User and system time since its start, in seconds. */
  readonly cpuSeconds: number;
}

/** Prints one line per process of Bellhop: arguments, VmRSS, RssAnon (kB), utime, stime (ticks of 1/100 s, USER_HZ in proc(5)). */
const script = `for p in /proc/[0-9]*; do
  a=$(tr '\\0' ' ' <$p/cmdline 2>/dev/null) || continue
  case $a in node*"/opt/bellhop/bellhop.js "*) ;; *) continue ;; esac
  s=$(sed 's/.*) //' $p/stat) && set -- $s
  echo "\${a##*bellhop.js } $(awk '/^VmRSS|^RssAnon/ {printf "%s ", $2}' $p/status) \${12} \${13}"
done`;

export async function readProcesses(lab: Lab): Promise<readonly ProcessFigures[]> {
  const perNode = await Promise.all(
    lab.nodes.map(async (node) => {
      const { stdout } = await lab.exec(node, ["sh", "-c", script]);
      return stdout.split("\n").flatMap((line) => parseLine(line, node));
    }),
  );
  return perNode.flat();
}

function parseLine(line: string, node: string): readonly ProcessFigures[] {
  const words = line.trim().split(/\s+/);
  const [residentKb, anonymousKb, userTicks, systemTicks] = words.slice(-4).map(Number);
  if (words.length < 5 || residentKb === undefined || anonymousKb === undefined) return [];
  return [
    {
      component: words[0] ?? "",
      node,
      residentMiB: residentKb / 1024,
      anonymousMiB: anonymousKb / 1024,
      cpuSeconds: ((userTicks ?? 0) + (systemTicks ?? 0)) / 100,
    },
  ];
}
