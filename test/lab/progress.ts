/** Tells what a long command is doing. */
export interface Progress {
  /** Does one step of the work and tells how long it took. `note` replaces the text beside the step's title. */
  step<T>(title: string, work: (note: (text: string) => void) => Promise<T>): Promise<T>;
  /** Tells one thing, in a line of its own. */
  say(text: string): void;
}

/** Tells nothing: for callers that have their own way of showing progress. */
export const silent: Progress = { step: (_title, work) => work(() => {}), say: () => {} };

const QUIET_INTERVAL_MS = 15_000;

function seconds(sinceMs: number): string {
  return `${((Date.now() - sinceMs) / 1000).toFixed(1)} s`;
}

function liveStep<T>(stream: NodeJS.WriteStream, title: string, work: (note: (text: string) => void) => Promise<T>) {
  const start = Date.now();
  const colour = (code: number, text: string) => (process.env.NO_COLOR ? text : `\u001b[${code}m${text}\u001b[0m`);
  let detail = "";
  const show = (mark: string, last: boolean) => {
    const time = seconds(start);
    const room = Math.max(0, stream.columns - title.length - time.length - 8);
    const shown = last || detail === "" ? "" : `  ${detail.slice(0, room)}`;
    stream.write(`\r\u001b[2K${mark} ${title}  ${colour(90, time + shown)}${last ? "\n" : ""}`);
  };
  const timer = setInterval(() => show(colour(33, "…"), false), 200);
  show(colour(33, "…"), false);
  return work((text) => {
    detail = text;
  })
    .then(
      (value) => {
        show(colour(32, "✓"), true);
        return value;
      },
      (error: unknown) => {
        show(colour(31, "✗"), true);
        throw error;
      },
    )
    .finally(() => clearInterval(timer));
}

function plainStep<T>(stream: NodeJS.WriteStream, title: string, work: (note: (text: string) => void) => Promise<T>) {
  const start = Date.now();
  let detail = "";
  const timer = setInterval(() => stream.write(`… ${title}  ${seconds(start)}  ${detail}\n`), QUIET_INTERVAL_MS);
  return work((text) => {
    detail = text;
  })
    .then(
      (value) => {
        stream.write(`✓ ${title}  ${seconds(start)}\n`);
        return value;
      },
      (error: unknown) => {
        stream.write(`✗ ${title}  ${seconds(start)}\n`);
        throw error;
      },
    )
    .finally(() => clearInterval(timer));
}

/** Progress for people: one line per step, redrawn on a terminal; in a log file only finished steps, and a sign of life
 * every 15 seconds. NO_COLOR is obeyed. */
export function showProgress(stream: NodeJS.WriteStream): Progress {
  const show = stream.isTTY ? liveStep : plainStep;
  return {
    step: (title, work) => show(stream, title, work),
    // A live step has its line there, and draws it again below.
    say: (text) => {
      stream.write(`${stream.isTTY ? "\r\u001b[2K" : ""}${text}\n`);
    },
  };
}
