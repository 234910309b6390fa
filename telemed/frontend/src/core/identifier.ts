/** A name for one thing that is done here: sent again, the server knows it. */
export function freshId(): string {
  // crypto.randomUUID is missing where the page came without TLS.
  const random = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(random, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
