/**
 * What the speakers of two nodes tell each other. Plain objects: `message-codec.ts` turns them into bytes and back. All numbers are
 * integers from 0. The sender is not in the message: the channel authenticates it.
 */
export type Message = Heartbeat | ClaimsMessage | Question | Answer | Notices | Conflict;

/** Largest values of the numbers in messages. */
export const maxUint8 = 2 ** 8 - 1;
export const maxUint16 = 2 ** 16 - 1;
export const maxUint32 = 2 ** 32 - 1;
export const maxUint48 = 2 ** 48 - 1;

/** Stands for "never" where a message has an age in milliseconds; larger ages are sent as one less. */
export const neverMs: number = maxUint16;

/** How many entries a ClaimsMessage has at most: with IPv6 addresses it must fit into a packet, even from a node with the longest name. */
export const maxClaimEntries = 26;

/** The longest name of a node, a DNS subdomain (apimachinery, util/validation/validation.go). */
export const maxNameLength = 253;

/** How many notices a message has at most, and how long their names are together, in characters. */
export const maxNotices = 24;
export const maxNoticeCharacters = 650;

/** Sent to each peer at regular intervals, and at once when something in it has changed or the peer requests it. */
export interface Heartbeat {
  readonly kind: "heartbeat";
  /** Up to maxUint48. Random, chosen when the sender's process started: another value is another process, which knows nothing. */
  readonly session: number;
  /** Up to maxUint32. Rises with each heartbeat; of two that arrive in the wrong order, the older one is ignored. */
  readonly sequence: number;
  /**
   * Up to maxUint48. Rises when the sender restarts, and when it learns that it was counted as dead: a notice of its death applies to the
   * incarnation in it and to earlier ones.
   */
  readonly incarnation: number;
  /** Up to maxUint16. The next heartbeat follows within this time. */
  readonly intervalMs: number;
  /** The receiver should send a heartbeat back at once. */
  readonly answer: boolean;
  /** The sender has reasons of its own to hear from the receiver, which should send heartbeats as long as those that it receives say so. */
  readonly wanted: boolean;
  /** The sender no longer only listens: it takes over addresses when it is its turn. */
  readonly joined: boolean;
  /** The sender hears neither peers nor the gateway nor other devices. It announces nothing. */
  readonly isolated: boolean;
  /**
   * The sender was the first owner of each address that it announces when it began to. Nor does it wait to announce another one, or to continue with
   * what it announced before a restart. Not before `joined`; never in earlier versions.
   */
  readonly onlyAsFirst: boolean;
  /** `Health` of the sender, by family. */
  readonly ipv4: boolean;
  readonly ipv6: boolean;
  readonly phase: Phase;
  /** Up to maxUint16. With phase "restarting": how long the addresses of the sender should be left alone. 0 otherwise. */
  readonly holdMs: number;
  /** The session of the receiver that the sender knows; 0: none. `claimsHave` is about that session. */
  readonly peerSession: number;
  /** Up to maxUint16. How long ago the sender heard the receiver; neverMs: it never did. */
  readonly heardMs: number;
  /** The incarnation of the receiver that the sender counts, or counted last, as dead; 0: none. */
  readonly deadIncarnation: number;
  /** Up to maxUint32. Version of the claims of the sender that concern the receiver. */
  readonly claimsVersion: number;
  /** Up to maxUint32. The version of the claims of the receiver that the sender has. */
  readonly claimsHave: number;
}

/**
 * "leaving": the next owners should announce the sender's addresses now, while it still does. "restarting": it stops and comes back.
 * "left": it has stopped and announces nothing.
 */
export type Phase = "running" | "leaving" | "restarting" | "left";

/**
 * A change to the claims of the sender that concern the receiver. It takes the receiver from version `base` to `version`; a receiver that
 * has an earlier version than `base` applies it after the messages in between. `base` 0: everything that the receiver had is void.
 */
export interface ClaimsMessage {
  readonly kind: "claims";
  readonly session: number;
  /** Up to maxUint32. */
  readonly base: number;
  /** Up to maxUint32; more than `base`. */
  readonly version: number;
  /** At most maxClaimEntries; each address once. */
  readonly entries: readonly ClaimEntry[];
}

export type ClaimEntry =
  /** The sender announces the address. */
  | { readonly state: "held"; readonly address: string; readonly claim: Claim }
  /** It does not. */
  | { readonly state: "released"; readonly address: string }
  /** It does not, and cannot although it is its turn. */
  | { readonly state: "passed"; readonly address: string };

/** By what right a node announces an address. `compareClaims` in speaker/membership compares two; two nodes never make equal ones. */
export interface Claim {
  /** Up to maxUint32. `createdSeconds` of the stake. */
  readonly createdSeconds: number;
  /** Up to maxUint48. The term of the stake. */
  readonly term: number;
  /** Up to maxUint32. 0: the first owner claimed it as such. Each takeover within a term is one more than the highest that was seen. */
  readonly epoch: number;
  /** Up to maxUint8. Position of the holder in the list of owners of that term, from 0; noRank: it is not in the list. */
  readonly rank: number;
}

/** The rank of a holder that is not an owner. */
export const noRank: number = maxUint8;

/** Does the receiver hear this node? The receiver tries it before it says that it does not. */
export interface Question {
  readonly kind: "question";
  readonly about: string;
  readonly of: QuestionSubject;
}

/**
 * "speaker": whether heartbeats of the node arrive. "kernel": whether its kernel answers ARP or NDP, so that frames arrive there.
 * "programs": whether its kubelet does, so that programs run there.
 */
export type QuestionSubject = "speaker" | "kernel" | "programs";

/** The reply to a Question. */
export interface Answer {
  readonly kind: "answer";
  readonly about: string;
  readonly of: QuestionSubject;
  /** Up to maxUint16. How long ago the sender heard that node, its kernel or its programs; neverMs: it never did, or cannot ask it. */
  readonly silentMs: number;
  /** The sender has sent that node something that requests an answer, and waited for it. */
  readonly tried: boolean;
  /** About a speaker: what its last heartbeat said; missing: none has arrived just now, or the sender is of an earlier version. */
  readonly onlyAsFirst?: boolean;
}

/** What has become of nodes. Each node passes on what is new to it, a few times, because packets are lost. */
export interface Notices {
  readonly kind: "notices";
  /** At most maxNotices, with names of at most maxNoticeCharacters together. */
  readonly notices: readonly Notice[];
}

/**
 * Of two notices about a node, the one with the higher incarnation applies; of the same one, that with the higher revision; of the same revision:
 * speakerDown, then frozen, then nodeDead, then unreachable, then alive.
 */
export interface Notice {
  readonly node: string;
  /** Up to maxUint48. */
  readonly incarnation: number;
  /**
   * Up to maxUint8. 0: what its kernel does is not known. It rises when a later state of the same incarnation is worse than an earlier one, and
   * when a node is reachable again.
   */
  readonly revision: number;
  readonly state: NodeState;
}

/**
 * "nodeDead": its kernel does not answer ARP or NDP either. "speakerDown": only its speaker is silent, or this is not known; its pods may be
 * well. "unreachable": its heartbeats arrive and say that it hears nothing, and its kernel does not answer either: its pods receive nothing.
 * "frozen": its speaker is silent, its kernel accepts connections, and its kubelet never answers: nor do its pods.
 */
export type NodeState = "alive" | "nodeDead" | "speakerDown" | "unreachable" | "frozen";

/** Another node announces the address by a better right than the receiver, which perhaps cannot hear that node. */
export interface Conflict {
  readonly kind: "conflict";
  readonly address: string;
  readonly holder: string;
  readonly claim: Claim;
}
