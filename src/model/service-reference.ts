/** What names a Service: an object of the API, a reference to one, or a view. */
export interface ServiceName {
  readonly namespace: string;
  readonly name: string;
}

/** `namespace/name`, the key of a Service in views, indexes and queues. */
export function serviceKeyOf({ namespace, name }: ServiceName): string {
  return `${namespace}/${name}`;
}

/**
 * Whether a reference is to this very Service. A Service that was deleted and created again under its name is another one, and a
 * reference with the uid of the first is not to it. A reference without uid is to any Service of the name.
 */
export function refersTo(
  reference: ServiceName & { readonly uid?: string | undefined },
  service: { readonly key: string; readonly uid: string },
): boolean {
  return serviceKeyOf(reference) === service.key && (reference.uid === undefined || reference.uid === service.uid);
}

/**
 * How a text for users of a namespace names a Service. Names in other namespaces are not theirs to know. Undefined: the reader may see
 * all namespaces.
 */
export function describeService(service: ServiceName, readerNamespace: string | undefined): string {
  const hidden = readerNamespace !== undefined && service.namespace !== readerNamespace;
  return hidden ? "a Service in another namespace" : `Service ${serviceKeyOf(service)}`;
}

/** The Service of a key. */
export function serviceNameOf(key: string): ServiceName {
  const slash = key.indexOf("/");
  return { namespace: key.slice(0, slash), name: key.slice(slash + 1) };
}
