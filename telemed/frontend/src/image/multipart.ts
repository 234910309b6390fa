/** The first part of a multipart/related answer (PS3.18 8.6): its type, and its bytes without a copy. */

export interface Part {
  kind: string;
  syntax: string;
  data: Uint8Array<ArrayBuffer>;
}

const NEWLINE = [13, 10];
const HEAD_ENDS = [13, 10, 13, 10];
/** PS3.18 8.7.3.5.2: what is told without a syntax is Explicit VR Little Endian. */
const PLAIN = "1.2.840.10008.1.2.1";

export function partOf(contentType: string, body: ArrayBuffer): Part {
  const bytes = new Uint8Array(body);
  if (!/^multipart\/related/i.test(contentType)) return part(contentType, bytes);
  const boundary = new TextEncoder().encode(`--${parameter(contentType, "boundary")}`);
  const start = find(bytes, boundary, 0);
  const headEnd = start < 0 ? -1 : find(bytes, HEAD_ENDS, start);
  if (headEnd < 0) throw new Error("an answer in several parts without a part");
  const head = new TextDecoder("latin1").decode(bytes.subarray(start + boundary.length, headEnd));
  const header = (name: string): string =>
    new RegExp(`^${name}:\\s*(.*)$`, "im").exec(head)?.[1]?.trim() ?? "";
  const from = headEnd + HEAD_ENDS.length;
  const length = Number(header("content-length"));
  const end = length > 0 ? from + length : find(bytes, [...NEWLINE, ...boundary], from);
  if (end < from || end > bytes.length) throw new Error("an answer that ends before its part does");
  return part(header("content-type"), bytes.subarray(from, end));
}

function part(contentType: string, data: Uint8Array<ArrayBuffer>): Part {
  return {
    kind: contentType.split(";")[0]?.trim().toLowerCase() ?? "",
    syntax: parameter(contentType, "transfer-syntax") || PLAIN,
    data,
  };
}

function parameter(contentType: string, name: string): string {
  return new RegExp(`${name}="?([^";]+)"?`, "i").exec(contentType)?.[1]?.trim() ?? "";
}

function find(bytes: Uint8Array, wanted: ArrayLike<number>, from: number): number {
  const [first] = Array.from(wanted);
  if (first === undefined) return -1;
  for (let at = bytes.indexOf(first, from); at >= 0; at = bytes.indexOf(first, at + 1)) {
    let same = 1;
    while (same < wanted.length && bytes[at + same] === wanted[same]) same++;
    if (same === wanted.length) return at;
  }
  return -1;
}
