/** The ECG on A4 at true scale: on as many pages as it takes, each with who it is of and how it is drawn. */
import { FOOT, layOut, pageSeconds, type Settings, type Sheet, TOP } from "./sheet";
import type { Waveform } from "./waveform";

/** An A4 page across, within its margins, under the lines that name the patient and over what the doctor wrote. */
const ROOM = { width: 281, height: 148 } as const;
/** Nearer than this rows do not come on paper, where nobody can enlarge them: another page is turned instead. */
const NEAREST = 20;
/** Paper needs more points than a screen: 12 in a millimetre are about 300 an inch. */
const SCALE = 12;

export interface PaperPage {
  sheet: Sheet;
  /** Seconds of the recording. */
  from: number;
  to: number;
}

/**
 * What is in view, at the paper's own scale; of a long strip the whole recording. First the seconds go on from page to
 * page, and those of one stretch are parted by rows where they stand too near each other.
 */
export function paperPages(settings: Settings, duration: number): PaperPage[] {
  const all = settings.format === "strip";
  const begin = all ? 0 : settings.start;
  const end = all ? duration : Math.min(duration, settings.start + pageSeconds(settings.format));
  const pages: PaperPage[] = [];
  for (let from = begin; from < end - 1e-6; ) {
    const sheets = fitted({ ...settings, start: from }, end);
    const seconds = sheets[0]?.seconds ?? 0;
    if (seconds <= 0) break;
    pages.push(...sheets.map((sheet) => ({ sheet, from, to: from + seconds })));
    from += seconds;
  }
  return pages;
}

function fitted(settings: Settings, end: number): Sheet[] {
  const one = layOut(settings, end, ROOM);
  const wide = layOut(settings, end, { ...ROOM, height: Number.POSITIVE_INFINITY });
  if (one.pitch >= Math.min(NEAREST, wide.pitch)) return [one];
  const rows = wide.pulses.length;
  const most = Math.max(1, Math.floor((ROOM.height - TOP - FOOT) / wide.pitch));
  const each = Math.ceil(rows / Math.ceil(rows / most));
  return Array.from({ length: Math.ceil(rows / each) }, (_, page) => rowsOf(wide, page * each, each));
}

/** Some rows of a sheet as a sheet of their own. */
function rowsOf(sheet: Sheet, first: number, count: number): Sheet {
  const kept = sheet.pulses.slice(first, first + count);
  const ys = new Set(kept.map(({ y }) => y));
  const up = first * sheet.pitch;
  return {
    ...sheet,
    height: sheet.height - (sheet.pulses.length - kept.length) * sheet.pitch,
    pulses: kept.map((one) => ({ ...one, y: one.y - up })),
    strips: sheet.strips.filter(({ y }) => ys.has(y)).map((one) => ({ ...one, y: one.y - up })),
  };
}

export interface PaperHost {
  settings: Settings;
  caption: string;
  /** Who it is, for the pages behind the first, which stands under the page's own head. */
  who: string;
  label: string;
  render(canvas: HTMLCanvasElement, sheet: Sheet, settings: Settings, scale: number): void;
}

/**
 * Each page as a picture of its own, in millimetres. Chromium prints a canvas that is drawn on "beforeprint" as vectors,
 * at 127/128 of its size: 10 s would be 2 mm short.
 */
export function paperFigures(waveform: Waveform, host: PaperHost): HTMLElement[] {
  const pages = paperPages(host.settings, waveform.duration);
  return pages.map(({ sheet, from, to }, index) => {
    const canvas = document.createElement("canvas");
    host.render(canvas, sheet, { ...host.settings, start: from }, SCALE);
    const figure = document.createElement("figure");
    figure.className = "ecg-print";
    const picture = document.createElement("img");
    picture.alt = host.label;
    picture.src = canvas.toDataURL();
    picture.style.width = `${canvas.width / SCALE}mm`;
    picture.style.height = `${canvas.height / SCALE}mm`;
    const setting = line("ecg-setting", [host.caption, part(from, to, pages), count(index, pages)]);
    figure.append(...(index > 0 ? [line("ecg-who", [host.who])] : []), picture, setting);
    return figure;
  });
}

function line(name: string, parts: readonly string[]): HTMLElement {
  const element = document.createElement("p");
  element.className = name;
  element.textContent = parts.filter(Boolean).join(" · ");
  return element;
}

/** Which seconds these are, where the pages show more than one stretch. */
function part(from: number, to: number, pages: readonly PaperPage[]): string {
  const first = pages[0]?.from ?? 0;
  const last = pages[pages.length - 1]?.to ?? 0;
  if (from === first && to === last) return "";
  const text = (seconds: number): string => String(Math.round(seconds * 10) / 10);
  return `${text(from)}–${text(to)} s / ${text(last)} s`;
}

function count(index: number, { length }: readonly PaperPage[]): string {
  return length > 1 ? `${index + 1}/${length}` : "";
}
