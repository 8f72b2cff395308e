import { groupVersion } from "../api/api.ts";

/** The object that an event is about; becomes `involvedObject`. */
export interface EventSubject {
  readonly apiVersion: string;
  readonly kind: string;
  /** Missing for cluster-scoped objects; their events are in the namespace default. */
  readonly namespace?: string;
  readonly name: string;
  readonly uid: string;
  readonly resourceVersion?: string;
}

export interface EventText {
  readonly type: "Normal" | "Warning";
  /** UpperCamelCase. */
  readonly reason: string;
  readonly message: string;
}

/** Records events. Never throws, never waits: an event must not delay the work that it is about. */
export interface EventRecorder {
  record(subject: EventSubject, text: EventText): void;
}

export interface ObjectVersion {
  readonly name: string;
  readonly uid: string;
  readonly resourceVersion: string;
}

/** A Service, from its view. */
export function serviceSubject(service: ObjectVersion & { readonly namespace: string }): EventSubject {
  const { namespace, name, uid, resourceVersion } = service;
  return { apiVersion: "v1", kind: "Service", namespace, name, uid, resourceVersion };
}

/** An object of one of Bellhop's own kinds, which are cluster-scoped, from its metadata. */
export function ownSubject(kind: string, { name, uid, resourceVersion }: ObjectVersion): EventSubject {
  return { apiVersion: groupVersion, kind, name, uid, resourceVersion };
}
