/** An interface that is announced on. */
export interface AnnouncedInterface {
  readonly name: string;
  readonly index: number;
  /** Text form, for comparing. */
  readonly mac: string;
  readonly macBytes: Uint8Array;
}

export function sameInterface(left: AnnouncedInterface | undefined, right: AnnouncedInterface): boolean {
  return left !== undefined && left.index === right.index && left.mac === right.mac;
}
