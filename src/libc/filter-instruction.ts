/** One instruction of classic BPF (linux/filter.h, struct sock_filter). */
export interface FilterInstruction {
  readonly code: number;
  /** How many instructions to skip when the comparison holds, and when it does not. */
  readonly jt: number;
  readonly jf: number;
  readonly k: number;
}

/** Classic BPF opcodes (linux/bpf_common.h): load a big-endian number, jump if equal, return a constant. */
const loadCodes = { word: 0x20, half: 0x28, byte: 0x30 } as const;
const jumpIfEqual = 0x15;
const returnConstant = 0x06;

/** Loads what is at byte `k` of the packet, or at a place of the kernel's own (SKF_AD_OFF). Drops the packet if it is shorter. */
export function load(size: keyof typeof loadCodes, k: number): FilterInstruction {
  return { code: loadCodes[size], jt: 0, jf: 0, k };
}

/** Skips `jt` instructions if what was loaded is `k`, and `jf` otherwise. */
export function jump(k: number, jt: number, jf: number): FilterInstruction {
  return { code: jumpIfEqual, jt, jf, k };
}

/** Accepts so many bytes of the packet; 0 drops it. */
export function end(k: number): FilterInstruction {
  return { code: returnConstant, jt: 0, jf: 0, k };
}
