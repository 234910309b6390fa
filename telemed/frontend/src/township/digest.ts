/** SHA-256 of a file in this browser; null where the browser gives no crypto (plain http) or the file is too large. */
const LARGEST = 64 * 1024 * 1024;

export async function digest(file: File): Promise<string | null> {
  // `subtle` is typed as always there; on plain http it is not.
  const subtle = (crypto as Partial<Crypto>).subtle;
  if (!subtle || file.size > LARGEST) return null;
  const hash = await subtle.digest("SHA-256", await file.arrayBuffer());
  return Array.from(new Uint8Array(hash), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
