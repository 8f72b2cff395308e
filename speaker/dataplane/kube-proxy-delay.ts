/** What kube-proxy must know of a port on one address before its own rules deliver connections. */
export interface ProxiedPort {
  /** The same text for the same address, protocol and port. */
  readonly id: string;
  readonly nodePort: number;
  /** Whether an endpoint takes connections that arrive at this node. */
  readonly served: boolean;
  /** Nodes to which kube-proxy may send connections: of those that are dead, or were when the Service was last seen. */
  readonly reachedNodes: ReadonlySet<string>;
  /** Those of them that are dead. */
  readonly deadNodes: ReadonlySet<string>;
}

/** A port as it was last seen. Times are monotonic. */
export interface SeenPort extends Omit<ProxiedPort, "reachedNodes"> {
  /** When it last became something that kube-proxy had to learn, or could be left to it again. */
  readonly changedMs: number;
  /** When endpoints on a dead node were last gone; undefined: never. */
  readonly endedMs: number | undefined;
}

/** The ports of one Service, by id. */
export interface SeenService {
  /** A Service that was deleted and created again is another one, and new to kube-proxy. */
  readonly uid: string;
  readonly ports: ReadonlyMap<string, SeenPort>;
}

/**
 * The memory after the Service was seen with these ports. Pure. What kube-proxy has to learn: a Service, an address or a port that is new,
 * another node port, the first endpoint, and that the endpoints on a dead node are gone. What else only ends (the last endpoint, a port) is not
 * waited for. Of a dead node that lives again it has nothing to learn, but such a port counts as changed, too.
 */
export function seeService(
  before: SeenService | undefined,
  uid: string,
  ports: readonly ProxiedPort[],
  nowMs: number,
): SeenService {
  const known = before?.uid === uid ? before.ports : undefined;
  const seen = ports.map(({ id, nodePort, served, reachedNodes, deadNodes }): SeenPort => {
    const last = known?.get(id);
    const ended = last !== undefined && [...last.deadNodes].some((name) => !reachedNodes.has(name));
    const lives = last !== undefined && last.deadNodes.size > 0 && deadNodes.size === 0;
    const changed = last === undefined || last.nodePort !== nodePort || (served && !last.served) || ended || lives;
    return {
      id,
      nodePort,
      served,
      deadNodes,
      changedMs: changed ? nowMs : last.changedMs,
      endedMs: ended ? nowMs : last?.endedMs,
    };
  });
  return { uid, ports: new Map(seen.map((port) => [port.id, port])) };
}

/** Until when kube-proxy may not have the port, in monotonic milliseconds; undefined: it has it, or is not waited for (no delay). */
export function lateUntilMs(port: SeenPort | undefined, nowMs: number, delayMs: number): number | undefined {
  if (delayMs === 0) return undefined;
  const dueMs = port === undefined ? nowMs : port.changedMs + delayMs;
  return dueMs > nowMs ? dueMs : undefined;
}

/** Until when it may not have that endpoints on a dead node are gone; undefined: it has that, or there were none. Not later than `lateUntilMs`. */
export function afterDeathUntilMs(port: SeenPort | undefined, nowMs: number, delayMs: number): number | undefined {
  if (port?.endedMs === undefined || delayMs === 0) return undefined;
  const dueMs = port.endedMs + delayMs;
  return dueMs > nowMs ? dueMs : undefined;
}
