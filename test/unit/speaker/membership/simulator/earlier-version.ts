import type { Message } from "../../../../../src/heartbeat/messages.ts";

/** The message as a version sends and reads it that does not know whether a node announces addresses only as their first owner. */
export function asEarlier(message: Message): Message {
  if (message.kind === "heartbeat") return { ...message, onlyAsFirst: false };
  if (message.kind !== "answer") return message;
  const { onlyAsFirst: _, ...known } = message;
  return known;
}
