/** Where everything stands on the paper, in millimetres: the one geometry of screen and print. */
import { type Filter, unfiltered } from "./filters";

export const formats = ["3x4+1", "3x4+3", "6x2", "12x1", "1x1", "strip"] as const;
export const orders = ["standard", "cabrera"] as const;
export const speeds = [12.5, 25, 50] as const;
export const gains = [2.5, 5, 10, 20] as const;

export type Format = (typeof formats)[number];
export type Order = (typeof orders)[number];
export type Speed = (typeof speeds)[number];
export type Gain = (typeof gains)[number];

export interface Settings {
  format: Format;
  /** Of the limb leads: as recorded, or by their place in the frontal plane. */
  order: Order;
  /** mm/s */
  speed: Speed;
  /** mm/mV */
  gain: Gain;
  /** The chest leads, whose voltages are the highest, at half of it. */
  chestHalf: boolean;
  /** The lead of the long strip, or the one that is enlarged. */
  rhythm: string;
  /** Seconds from the first sample at which the page begins. */
  start: number;
  filter: Filter;
}

export const usual: Settings = {
  format: "3x4+1",
  order: "standard",
  speed: 25,
  gain: 10,
  chestHalf: false,
  rhythm: "II",
  start: 0,
  filter: unfiltered,
};

/** A lead over a stretch of time: `from` stands at `x`, 0 mV at `y`. */
export interface Strip {
  lead: string;
  /** -1 where the lead is drawn upside down, as aVR is by Cabrera. */
  sign: 1 | -1;
  x: number;
  y: number;
  /** mm/mV */
  gain: number;
  from: number;
  to: number;
  /** Another strip stands to the left of this one in the same row. */
  continued: boolean;
}

/** 1 mV at the left end of a row: one step for each gain that its leads are drawn with, the highest first. */
export interface Pulse {
  y: number;
  gains: number[];
}

export interface Sheet {
  width: number;
  height: number;
  /** Distance of two baselines. */
  pitch: number;
  strips: Strip[];
  /** Each baseline begins with one. */
  pulses: Pulse[];
  /** Seconds of the recording that the sheet shows. */
  seconds: number;
  /** Time goes on from row to row instead of being the same in all of them. */
  wrapped: boolean;
}

/** A page shows ten seconds, as the paper of a resting ECG does; a long strip a minute. */
export const PAGE_SECONDS = 10;
export const STRIP_SECONDS = 60;
export const PULSE_MARGIN = 10;
/** A row of a wrapped sheet: ten seconds at 25 mm/s. */
export const ROW_LENGTH = 250;
/** Free of traces: at the top and bottom of the paper, and for the settings. */
export const TOP = 10;
export const FOOT = 6;
/** Closer than this the baselines never come, however little room there is. */
const CLOSEST = 10;

const limb: Record<Order, readonly string[]> = {
  standard: ["I", "II", "III", "aVR", "aVL", "aVF"],
  cabrera: ["aVL", "I", "-aVR", "II", "aVF", "III"],
};
const chest = ["V1", "V2", "V3", "V4", "V5", "V6"] as const;

const pitches: Record<Format, number> = {
  "3x4+1": 30,
  "3x4+3": 25,
  "6x2": 25,
  "12x1": 20,
  "1x1": 40,
  strip: 30,
};

export function pageSeconds(format: Format): number {
  return format === "strip" ? STRIP_SECONDS : PAGE_SECONDS;
}

function groups(format: Format, order: Order): (readonly string[])[] {
  const [first, second] = [limb[order].slice(0, 3), limb[order].slice(3)];
  if (format === "12x1") return [[...limb[order], ...chest]];
  if (format === "6x2") return [limb[order], chest];
  return [first, second, chest.slice(0, 3), chest.slice(3)];
}

/** The leads of the long strips below the groups; three of them see both ventricles and the atria. */
function rhythms(format: Format, chosen: string): string[] {
  if (format === "3x4+1") return [chosen];
  if (format !== "3x4+3") return [];
  return [chosen, ...["V1", "V5", "II"].filter((lead) => lead !== chosen)].slice(0, 3);
}

/** What there is of paper or screen, in millimetres. */
export interface Room {
  width: number;
  height: number;
}

export const endless: Room = { width: Number.POSITIVE_INFINITY, height: Number.POSITIVE_INFINITY };

/** mm/mV of one lead. */
export function gainOf({ gain, chestHalf }: Settings, lead: string): number {
  return chestHalf && /^V\d/.test(lead) ? gain / 2 : gain;
}

function pulseOf(y: number, strips: readonly Strip[]): Pulse {
  const gains = new Set(strips.filter((one) => one.y === y).map((one) => one.gain));
  return { y, gains: [...gains].sort((a, b) => b - a) };
}

/** Rows move together before they leave the height; of a sheet that is wider than the room only the beginning is laid. */
export function layOut(settings: Settings, duration: number, room = endless): Sheet {
  const { format, gain, speed, start } = settings;
  const wrapped = format === "1x1" || format === "strip";
  const fitting = wrapped ? Number.POSITIVE_INFINITY : Math.floor((room.width - PULSE_MARGIN) / speed);
  const seconds = Math.max(0, Math.min(pageSeconds(format), duration - start, fitting));
  const columns = wrapped ? [] : groups(format, settings.order);
  const long = rhythms(format, settings.rhythm);
  const rows = wrapped
    ? Math.max(1, Math.ceil((seconds * speed) / ROW_LENGTH - 1e-6))
    : Math.max(...columns.map((group) => group.length)) + long.length;
  const wanted = pitches[format] * (gain === 20 ? 1.4 : 1);
  const pitch = Math.max(CLOSEST, Math.min(wanted, Math.floor(((room.height - TOP - FOOT) / rows) * 2) / 2));
  const edge = Math.round(pitch / 2 / 5) * 5;
  const baseline = (row: number): number => 5 + edge + row * pitch;
  const strips: Strip[] = [];
  const place = (name: string, x: number, row: number, from: number, to: number, continued = false): void => {
    const [sign, lead] = [name.startsWith("-") ? -1 : 1, name.replace(/^-/, "")] as const;
    strips.push({ lead, sign, x, y: baseline(row), gain: gainOf(settings, lead), from, to, continued });
  };
  if (wrapped) {
    const each = ROW_LENGTH / speed;
    for (let row = 0; row < rows; row++) {
      const from = start + row * each;
      place(settings.rhythm, PULSE_MARGIN, row, from, Math.min(from + each, start + seconds));
    }
  }
  columns.forEach((group, column) => {
    const each = seconds / columns.length;
    const from = start + column * each;
    const x = PULSE_MARGIN + column * each * speed;
    group.forEach((lead, row) => {
      place(lead, x, row, from, from + each, column > 0);
    });
  });
  long.forEach((lead, index) => {
    place(lead, PULSE_MARGIN, rows - long.length + index, start, start + seconds);
  });
  const length = Math.max(seconds, 1) * speed;
  return {
    width: PULSE_MARGIN + (wrapped ? Math.min(length, ROW_LENGTH) : length),
    height: baseline(rows - 1) + Math.ceil(pitch / 2 / 5) * 5 + FOOT,
    pitch,
    strips,
    seconds,
    pulses: Array.from({ length: rows }, (_, row) => pulseOf(baseline(row), strips)),
    wrapped,
  };
}

export function labelOf(strip: Strip): string {
  return strip.sign < 0 ? `−${strip.lead}` : strip.lead;
}

/** The strip that is drawn at a point of the sheet, in millimetres. */
export function stripAt(sheet: Sheet, speed: number, x: number, y: number): Strip | undefined {
  return sheet.strips.find(
    (strip) =>
      Math.abs(y - strip.y) <= sheet.pitch / 2 &&
      x >= strip.x - (strip.continued ? 0 : PULSE_MARGIN) &&
      x < strip.x + (strip.to - strip.from) * speed,
  );
}
