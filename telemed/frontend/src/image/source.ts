/** Pictures over DICOMweb, with the session of the page: descriptions, frames, and what to say when one does not come. */
import { Problem, problemOf } from "../core/api";
import { t } from "../core/page";
import type { Decoded } from "./decode-worker";
import { decode } from "./decoders";
import { type Description, describe, ofFrame } from "./description";
import type { Dataset } from "./elements";
import { type Part, partOf } from "./multipart";

/** One frame of one object of a case. */
export interface Place {
  instance: string;
  frame: number;
}

const DESCRIPTIONS = "application/dicom+json";
// As octets a compressed frame would come decoded; only who takes everything gets it as it is stored.
const AS_STORED = "*/*";
/** Films in High-Throughput JPEG 2000, whatever they are stored in: half as long as plain, decoded at once. */
const QUICK = 'multipart/related; type="image/jphc"; transfer-syntax=*, */*;q=0.5';
const FILM = 2 ** 20;
const DECODED = 'multipart/related; type="application/octet-stream"; transfer-syntax=1.2.840.10008.1.2.1';

/** `/dicom-web/studies/…/instances/…` and what is asked of it; the case stays with the question. */
function address(url: URL, part: string): string {
  return `${url.pathname}${part}${url.search}`;
}

/** The instance's own address, from that of its rendered picture. */
export function instanceUrl(renderedUrl: string): string {
  const url = new URL(renderedUrl, location.href);
  url.pathname = url.pathname.replace(/\/rendered$/, "");
  return url.href;
}

async function fetched(url: string, accept: string, signal?: AbortSignal): Promise<Response> {
  const init: RequestInit = { headers: { Accept: accept }, credentials: "same-origin" };
  if (signal) init.signal = signal;
  let answer: Response;
  try {
    answer = await fetch(url, init);
  } catch (cause) {
    if (cause instanceof DOMException && cause.name === "AbortError") throw cause;
    throw new Problem(0, "network", t("ui.problem.network"));
  }
  if (!answer.ok) throw problemOf(answer.status, await answer.text());
  return answer;
}

async function bulk(uri: string): Promise<ArrayBuffer> {
  // Behind a proxy the server may name itself otherwise; the page's own origin is the one it may ask.
  const { pathname, search } = new URL(uri, location.href);
  const answer = await fetched(`${pathname}${search}`, "application/octet-stream");
  return answer.arrayBuffer();
}

const headers = new Map<string, Promise<Dataset>>();
const described = new Map<string, Promise<Description>>();

/** Headers of the last slices: a dozen CTs, of a day on which two hundred are read. */
const REMEMBERED = 4000;

function remembered<T>(kept: Map<string, Promise<T>>, name: string, made: Promise<T>): Promise<T> {
  kept.set(name, made);
  for (const oldest of kept.keys()) {
    if (kept.size <= REMEMBERED) break;
    kept.delete(oldest);
  }
  made.catch(() => kept.delete(name));
  return made;
}

function header(instance: string): Promise<Dataset> {
  const asked = async (): Promise<Dataset> => {
    const answer = await fetched(address(new URL(instance), "/metadata"), DESCRIPTIONS);
    const [first] = (await answer.json()) as Dataset[];
    if (!first) throw new Problem(404, "", t("ui.image.no_description"));
    return first;
  };
  return headers.get(instance) ?? remembered(headers, instance, asked());
}

export function description({ instance, frame }: Place): Promise<Description> {
  const name = `${instance}#${frame}`;
  const made = async (): Promise<Description> => describe(ofFrame(await header(instance), frame), bulk);
  return described.get(name) ?? remembered(described, name, made());
}

/** All pictures of a series in one answer; what is already known is kept. */
export async function describeSeries(instances: readonly string[]): Promise<void> {
  const unknown = new Map(
    instances
      .filter((one) => !headers.has(one))
      .map((one) => [new URL(one).pathname.replace(/^.*\//, ""), one]),
  );
  const [any] = unknown.values();
  if (!any || unknown.size < 2) return;
  const series = new URL(any);
  series.pathname = series.pathname.replace(/\/instances\/[^/]+$/, "");
  const answer = await fetched(address(series, "/metadata"), DESCRIPTIONS);
  for (const one of (await answer.json()) as Dataset[]) {
    const instance = unknown.get(String(one["00080018"]?.Value?.[0] ?? ""));
    if (instance && !headers.has(instance)) remembered(headers, instance, Promise.resolve(one));
  }
}

async function part({ instance, frame }: Place, accept: string): Promise<Part> {
  const answer = await fetched(address(new URL(instance), `/frames/${frame}`), accept);
  return partOf(answer.headers.get("Content-Type") ?? "", await answer.arrayBuffer());
}

/** Where this browser cannot decode the frame, the server does. */
export async function decoded(place: Place, shape: Description, urgent: boolean): Promise<Decoded> {
  const first = await part(place, shape.rows * shape.columns < FILM ? AS_STORED : QUICK);
  try {
    return await decode(first.syntax, first.data, shape, urgent);
  } catch (cause) {
    console.warn(`the server decodes a frame of ${first.syntax}`, cause);
  }
  const plain = await part(place, DECODED);
  return decode(plain.syntax, plain.data, shape, urgent);
}

/** A colour picture as the server shows it, without loss. */
export async function coloured({ instance, frame }: Place): Promise<ImageBitmap> {
  const answer = await fetched(address(new URL(instance), `/frames/${frame}/rendered`), "image/png");
  return createImageBitmap(await answer.blob());
}
