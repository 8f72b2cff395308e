/** What kube-proxy must know of a port on one address before its own rules deliver connections. */
export interface ProxiedPort {
  /** The same text for the same address, protocol and port. */
  readonly id: string;
  readonly nodePort: number;
  /** Whether an endpoint takes connections that arrive at this node. */
  readonly served: boolean;
  /** Whether kube-proxy may send connections to an endpoint on a dead node. */
  readonly reachesDead: boolean;
}

/** A port as it was last seen, and when it last became something that kube-proxy had to learn, in monotonic milliseconds. */
export interface SeenPort extends ProxiedPort {
  readonly changedMs: number;
  /** Whether that was the end of endpoints on a dead node. */
  readonly afterDeath: boolean;
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
 * waited for.
 */
export function seeService(
  before: SeenService | undefined,
  uid: string,
  ports: readonly ProxiedPort[],
  nowMs: number,
): SeenService {
  const known = before?.uid === uid ? before.ports : undefined;
  const seen = ports.map((port): SeenPort => {
    const last = known?.get(port.id);
    const ends = last?.reachesDead === true && !port.reachesDead;
    if (last === undefined || last.nodePort !== port.nodePort || (port.served && !last.served) || ends) {
      return { ...port, changedMs: nowMs, afterDeath: ends };
    }
    const same = last.served === port.served && last.reachesDead === port.reachesDead;
    return same ? last : { ...last, served: port.served, reachesDead: port.reachesDead };
  });
  return { uid, ports: new Map(seen.map((port) => [port.id, port])) };
}

/** Until when kube-proxy may not have the port, in monotonic milliseconds; undefined: it has it, or is not waited for (no delay). */
export function lateUntilMs(port: SeenPort | undefined, nowMs: number, delayMs: number): number | undefined {
  if (delayMs === 0) return undefined;
  const dueMs = port === undefined ? nowMs : port.changedMs + delayMs;
  return dueMs > nowMs ? dueMs : undefined;
}
