/** Where everything stands on the paper, in millimetres: the one geometry of screen and print. */

export const formats = ["3x4+1", "6x2", "12x1"] as const;
export const speeds = [12.5, 25, 50] as const;
export const gains = [5, 10, 20] as const;

export type Format = (typeof formats)[number];
export type Speed = (typeof speeds)[number];
export type Gain = (typeof gains)[number];

export interface Settings {
  format: Format;
  /** mm/s */
  speed: Speed;
  /** mm/mV */
  gain: Gain;
  /** The lead of the long strip. */
  rhythm: string;
  /** Seconds from the first sample at which the page begins. */
  start: number;
}

export const usual: Settings = { format: "3x4+1", speed: 25, gain: 10, rhythm: "II", start: 0 };

/** A lead over a stretch of time: `from` stands at `x`, 0 mV at `y`. */
export interface Strip {
  lead: string;
  x: number;
  y: number;
  from: number;
  to: number;
  /** Another strip stands to the left of this one in the same row. */
  continued: boolean;
}

export interface Sheet {
  width: number;
  height: number;
  /** Distance of two baselines. */
  pitch: number;
  strips: Strip[];
  /** Baselines that begin with a calibration pulse. */
  pulses: number[];
}

/** A page shows ten seconds, as the paper of a resting ECG does. */
export const PAGE_SECONDS = 10;
export const PULSE_MARGIN = 10;

const columns: Record<Format, readonly (readonly string[])[]> = {
  "3x4+1": [
    ["I", "II", "III"],
    ["aVR", "aVL", "aVF"],
    ["V1", "V2", "V3"],
    ["V4", "V5", "V6"],
  ],
  "6x2": [
    ["I", "II", "III", "aVR", "aVL", "aVF"],
    ["V1", "V2", "V3", "V4", "V5", "V6"],
  ],
  "12x1": [["I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6"]],
};

const pitches: Record<Format, number> = { "3x4+1": 30, "6x2": 25, "12x1": 20 };

export function layOut(settings: Settings, duration: number): Sheet {
  const groups = columns[settings.format];
  const pitch = pitches[settings.format] * (settings.gain === 20 ? 1.4 : 1);
  const seconds = Math.max(0, Math.min(PAGE_SECONDS, duration - settings.start));
  const each = seconds / groups.length;
  const top = 5 + Math.round(pitch / 2 / 5) * 5;
  const rows = Math.max(...groups.map((group) => group.length));
  const baseline = (row: number): number => top + row * pitch;
  const strips: Strip[] = [];
  groups.forEach((group, column) => {
    group.forEach((lead, row) => {
      const from = settings.start + column * each;
      strips.push({
        lead,
        x: PULSE_MARGIN + column * each * settings.speed,
        y: baseline(row),
        from,
        to: from + each,
        continued: column > 0,
      });
    });
  });
  const pulses = Array.from({ length: rows }, (_, row) => baseline(row));
  if (settings.format === "3x4+1") {
    const y = baseline(rows);
    const to = settings.start + seconds;
    strips.push({ lead: settings.rhythm, x: PULSE_MARGIN, y, from: settings.start, to, continued: false });
    pulses.push(y);
  }
  const width = PULSE_MARGIN + Math.max(seconds, 1) * settings.speed;
  const last = pulses[pulses.length - 1] ?? top;
  return { width, height: last + Math.ceil(pitch / 2 / 5) * 5, pitch, strips, pulses };
}
