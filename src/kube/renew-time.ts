/**
 * The renewTime of a Lease, which must differ from the one before: the API server makes no new version of what is the same, and
 * those who look on would take the holder for dead. A wall clock that was set back may say the same time again. Six digits, as
 * metav1.MicroTime wants them (RFC3339Micro).
 */
export function renewTimeText(wallMs: number, before: string | undefined): string {
  const milliseconds = new Date(wallMs).toISOString().slice(0, -1);
  const text = `${milliseconds}000Z`;
  return text === before ? `${milliseconds}001Z` : text;
}
