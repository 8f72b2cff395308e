import { shorten } from "./bounded-text.ts";
import { reasonTable } from "./reason-table.ts";

/** The label of a metric, the reason of an event and of a condition, and what tests and users search for: never renamed. */
export type ReasonCode = keyof typeof reasonTable;

export const reasonCodes = Object.keys(reasonTable) as readonly ReasonCode[];

/** How reasons name a Service. */
export function serviceObject({ key }: { readonly key: string }): string {
  return `Service ${key}`;
}

/** How reasons name an annotation. */
export function annotationField(annotation: string): string {
  return `metadata.annotations[${annotation}]`;
}

/** A typed refusal. It is returned, never thrown. */
export interface Reason {
  readonly code: ReasonCode;
  /** `Service shop/web`, `IPAddressPool lan`. */
  readonly object: string;
  /** The path of the field that causes it: `spec.loadBalancerIP`. Empty: the object as a whole. */
  readonly field: string;
  /** The value of that field, cut to 200 characters; empty where it is not set. */
  readonly value: string;
  /** What is wrong, in whole sentences that name the object, the field and the value. */
  readonly message: string;
  /** What to do about it, in whole sentences. */
  readonly cure: string;
}

interface ReasonSubject {
  readonly object: string;
  readonly field: string;
  readonly value: string;
  /** Whole sentences with details that the table cannot have: who has an address, which pools are full. */
  readonly detail?: string | undefined;
}

/** How much of a value a reason holds, in characters. */
export const maxValueLength = 200;

/** In characters. Whatever users write into a field, a message stays readable, and well below what a condition may hold (32,768). */
const longest = { object: 330, field: 200, value: maxValueLength, detail: 600 } as const;

/** The reason of this code for one object. */
export function reasonOf(code: ReasonCode, subject: ReasonSubject): Reason {
  const { detail = "" } = subject;
  const object = shorten(subject.object, longest.object);
  const field = shorten(subject.field, longest.field);
  const value = shorten(subject.value, longest.value);
  const { sentence, cure } = reasonTable[code];
  const said = fillSentence(sentence, {
    object,
    field: fieldText(field),
    value: valueText(value),
  });
  const more = shorten(detail, longest.detail);
  return { code, object, field, value, message: more === "" ? said : `${said} ${more}`, cure };
}

/** The message and the cure, on one line. */
export function reasonMessage({ message, cure }: Reason): string {
  return `${message} ${cure}`;
}

/** Fills the placeholders; a part in square brackets is left out when a placeholder in it is empty. */
function fillSentence(sentence: string, texts: Readonly<Record<"object" | "field" | "value", string>>): string {
  return sentence
    .replaceAll(/\[([^\]]*)\]/g, (_, part: string) => (isEmptyPart(part, texts) ? "" : part))
    .replaceAll(/\{(object|field|value)\}/g, (_, name: keyof typeof texts) => texts[name] || '""');
}

function isEmptyPart(part: string, texts: Readonly<Record<string, string>>): boolean {
  return [...part.matchAll(/\{(\w+)\}/g)].some(([, name = ""]) => texts[name] === "");
}

/** A field as texts for users name it: `annotation bellhop.dev/ips` for `metadata.annotations[bellhop.dev/ips]`. */
export function fieldText(field: string): string {
  return field.replace(/^metadata\.annotations\[(.*)\]$/, "annotation $1");
}

/** Unchanged if it is one word or a list of words, otherwise in quotes, because users may write any text. */
function valueText(value: string): string {
  return value === "" || /^[\w.:/=-]+(?:, ?[\w.:/=-]+)*$/.test(value) ? value : JSON.stringify(value);
}

/** The text with its first letter in upper case, for a `detail`, which is a whole sentence. */
export function startSentence(text: string): string {
  return `${text.slice(0, 1).toUpperCase()}${text.slice(1)}`;
}
