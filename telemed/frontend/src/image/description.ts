/** What the header says of a picture, as far as it is needed to show and to measure it. */
import { type Dataset, type Element, inlineBytes, items, number, numbers, text } from "./elements";

export type VoiFunction = "LINEAR" | "LINEAR_EXACT" | "SIGMOID";

export interface VoiWindow {
  center: number;
  width: number;
  function: VoiFunction;
}

/** A look-up table of the object (PS3.3 C.11.1.1, C.11.2.1.1). */
export interface Lut {
  first: number;
  entries: ArrayLike<number>;
  /** The largest entry that its depth allows. */
  most: number;
}

export interface Spacing {
  row: number;
  column: number;
  /** Measured in the patient, or only at the detector: there everything is larger than in the patient. */
  at: "patient" | "detector";
}

export interface Description {
  rows: number;
  columns: number;
  frames: number;
  isColor: boolean;
  photometric: string;
  bitsAllocated: number;
  bitsStored: number;
  highBit: number;
  signed: boolean;
  slope: number;
  intercept: number;
  modalityLut: Lut | null;
  voiLut: Lut | null;
  window: VoiWindow | null;
  padding: [number, number] | null;
  spacing: Spacing | null;
  orientation: number[] | null;
  /** Of films: which side of the patient rows and columns run to. */
  sides: [string, string] | null;
  position: number[] | null;
  frameOfReference: string;
  frameTime: number;
  modality: string;
  bodyPart: string;
  view: string;
  laterality: string;
  number: number;
}

/**
 * Macros of an enhanced object that say how one of its frames lies and is to be shown (PS3.3 C.7.6.16.2): measures,
 * position, orientation, anatomy, window, rescale.
 */
const MACROS = ["00289110", "00209113", "00209116", "00209071", "00289132", "00289145"];

/** The header as it is for one frame (from 1): what its functional groups say stands for the whole. */
export function ofFrame(ds: Dataset, frame: number): Dataset {
  const groups = [items(ds, "52009229")[0], items(ds, "52009230")[frame - 1]];
  if (!groups.some(Boolean)) return ds;
  const said = groups.flatMap((group) => MACROS.map((macro) => group && items(group, macro)[0]));
  return Object.assign({}, ds, ...said) as Dataset;
}

/** Fetches a value that the description only points to. */
export type Bulk = (uri: string) => Promise<ArrayBuffer>;

export async function describe(ds: Dataset, bulk: Bulk): Promise<Description> {
  const bitsStored = number(ds, "00280101") ?? 16;
  const signed = number(ds, "00280103") === 1;
  const photometric = text(ds, "00280004");
  const slope = number(ds, "00281053");
  const intercept = number(ds, "00281052");
  const scaled = slope !== null && intercept !== null && slope !== 0;
  return {
    rows: number(ds, "00280010") ?? 0,
    columns: number(ds, "00280011") ?? 0,
    frames: Math.max(number(ds, "00280008") ?? 1, 1),
    isColor: (number(ds, "00280002") ?? 1) > 1 || photometric === "PALETTE COLOR",
    photometric,
    bitsAllocated: number(ds, "00280100") ?? 16,
    bitsStored,
    highBit: number(ds, "00280102") ?? bitsStored - 1,
    signed,
    slope: scaled ? slope : 1,
    intercept: scaled ? intercept : 0,
    modalityLut: await lutOf(items(ds, "00283000")[0], signed, bulk),
    voiLut: await lutOf(items(ds, "00283010")[0], signed, bulk),
    window: windowOf(ds),
    padding: paddingOf(ds, signed),
    spacing: spacingOf(ds),
    orientation: vector(ds, "00200037", 6),
    sides: sidesOf(ds),
    position: vector(ds, "00200032", 3),
    frameOfReference: text(ds, "00200052"),
    frameTime: number(ds, "00181063") ?? 0,
    modality: text(ds, "00080060"),
    bodyPart: text(ds, "00180015"),
    view: text(ds, "00185101"),
    laterality: text(ds, "00200062") || text(ds, "00200060"),
    number: number(ds, "00200013") ?? 0,
  };
}

function sidesOf(ds: Dataset): [string, string] | null {
  const [along, down] = (ds["00200020"]?.Value ?? []).map(String);
  return along && down ? [along, down] : null;
}

function vector(ds: Dataset, tag: string, length: number): number[] | null {
  const found = numbers(ds, tag);
  return found.length === length ? found : null;
}

const functions: readonly string[] = ["LINEAR", "LINEAR_EXACT", "SIGMOID"];

function windowOf(ds: Dataset): VoiWindow | null {
  const center = number(ds, "00281050");
  const width = number(ds, "00281051");
  const named = text(ds, "00281056").toUpperCase() || "LINEAR";
  if (center === null || width === null || !functions.includes(named)) return null;
  if (named === "LINEAR" ? width < 1 : width <= 0) return null;
  return { center, width, function: named as VoiFunction };
}

/** US or SS by the pixel representation, whatever VR the device wrote. */
function stored(value: number | null, signed: boolean): number | null {
  if (value === null) return null;
  if (signed && value > 0x7fff) return value - 0x10000;
  return !signed && value < 0 ? value + 0x10000 : value;
}

function paddingOf(ds: Dataset, signed: boolean): [number, number] | null {
  const first = stored(number(ds, "00280120"), signed);
  if (first === null) return null;
  const limit = stored(number(ds, "00280121"), signed) ?? first;
  return [Math.min(first, limit), Math.max(first, limit)];
}

function spacingOf(ds: Dataset): Spacing | null {
  const patient = numbers(ds, "00280030");
  if (patient[0] && patient[1]) return { row: patient[0], column: patient[1], at: "patient" };
  const detector = numbers(ds, "00181164");
  if (!detector[0] || !detector[1]) return null;
  const magnified = number(ds, "00181114");
  if (magnified && magnified >= 1)
    return { row: detector[0] / magnified, column: detector[1] / magnified, at: "patient" };
  return { row: detector[0], column: detector[1], at: "detector" };
}

async function lutOf(item: Dataset | undefined, signed: boolean, bulk: Bulk): Promise<Lut | null> {
  const data = item?.["00283006"];
  const [count, first, bits] = item ? numbers(item, "00283002") : [];
  if (!item || !data || count === undefined || first === undefined || bits === undefined) return null;
  const entries = await entriesOf(data, count || 65536, bulk);
  if (entries.length === 0) return null;
  // A depth outside the standard's 8 to 16 bits is a slip of the device: then the data decides.
  const most = bits >= 8 && bits <= 16 ? 2 ** bits - 1 : largest(entries);
  return { first: signed && first > 0x7fff ? first - 0x10000 : first, entries, most };
}

async function entriesOf(data: Element, count: number, bulk: Bulk): Promise<ArrayLike<number>> {
  if (data.Value) return data.Value.map(Number).slice(0, count);
  const bytes =
    inlineBytes(data) ?? new Uint8Array(data.BulkDataURI ? await bulk(data.BulkDataURI) : new ArrayBuffer(0));
  if (bytes.length < 2 * count) return bytes.slice(0, count);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Uint16Array.from({ length: count }, (_, at) => view.getUint16(2 * at, true));
}

function largest(entries: ArrayLike<number>): number {
  let most = 1;
  for (let at = 0; at < entries.length; at++) most = Math.max(most, entries[at] ?? 0);
  return most;
}
