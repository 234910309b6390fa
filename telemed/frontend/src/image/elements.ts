/** Elements of DICOM JSON (PS3.18 annex F) by their tag, as plain numbers and texts. */

export interface Element {
  vr: string;
  Value?: readonly unknown[];
  InlineBinary?: string;
  BulkDataURI?: string;
}

export type Dataset = Record<string, Element | undefined>;

export function numbers(ds: Dataset, tag: string): number[] {
  return (ds[tag]?.Value ?? []).map(Number).filter(Number.isFinite);
}

export function number(ds: Dataset, tag: string): number | null {
  return numbers(ds, tag)[0] ?? null;
}

export function text(ds: Dataset, tag: string): string {
  const value = ds[tag]?.Value?.[0];
  return value === undefined || value === null ? "" : String(value);
}

export function items(ds: Dataset, tag: string): Dataset[] {
  return (ds[tag]?.Value ?? []) as Dataset[];
}

/** The bytes of a value that stands in the description itself; null where it must be fetched. */
export function inlineBytes(element: Element): Uint8Array<ArrayBuffer> | null {
  if (element.InlineBinary === undefined) return null;
  const binary = atob(element.InlineBinary);
  const bytes = new Uint8Array(binary.length);
  for (let at = 0; at < binary.length; at++) bytes[at] = binary.charCodeAt(at);
  return bytes;
}
