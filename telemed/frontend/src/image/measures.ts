/** What stands at a measurement, with the unit that the picture allows. */
import { t } from "../core/page";
import type { Description } from "./description";
import { loadedOf } from "./loader";

type Stats = Readonly<Record<string, unknown>>;

export interface Measured {
  cachedStats?: Readonly<Record<string, Stats>>;
}

/** What was measured on: "imageId:" and the id. Not every tool tells it, but each keeps it with what it found. */
function measured(data: Measured): { stats: Stats; picture: Description | undefined } | undefined {
  const [found] = Object.entries(data.cachedStats ?? {});
  return found && { stats: found[1], picture: loadedOf(found[0].replace(/^imageId:/, ""))?.description };
}

type Unit = "mm" | "detector" | "pixels";

/** Where nothing says how large a pixel is, a length is one of pixels, and says so. */
function unitOf(picture: Description | undefined): Unit {
  if (!picture?.spacing) return "pixels";
  return picture.spacing.at === "patient" ? "mm" : "detector";
}

const lengths: Readonly<Record<Unit, () => string>> = {
  mm: () => "mm",
  detector: () => t("ui.image.unit.detector"),
  pixels: () => t("ui.image.unit.pixels"),
};
const areas: Readonly<Record<Unit, () => string>> = {
  mm: () => "mm²",
  detector: () => t("ui.image.unit.square_detector"),
  pixels: () => t("ui.image.unit.square_pixels"),
};

/** The same as numbers, for those who keep it. */
export interface Found {
  values: Record<string, number>;
  unit: Unit;
  hounsfield: boolean;
}

const NAMES: Readonly<Record<string, string>> = {
  length: "length",
  angle: "angle",
  area: "area",
  mean: "mean",
  stdDev: "spread",
  min: "low",
  max: "high",
};

/** Undefined until the tool has worked it out. */
export function valuesOf(data: Measured, picture: Description | undefined): Found | undefined {
  const { stats } = measured(data) ?? {};
  if (!stats || !picture) return undefined;
  const values: Record<string, number> = {};
  for (const [theirs, ours] of Object.entries(NAMES)) {
    const value = stats[theirs];
    if (typeof value === "number" && Number.isFinite(value)) values[ours] = Math.round(value * 1000) / 1000;
  }
  if (Object.keys(values).length === 0) return undefined;
  return { values, unit: unitOf(picture), hounsfield: picture.modality === "CT" };
}

const rounded = (value: unknown): string =>
  typeof value === "number" ? String(Math.round(value * 10) / 10) : "";

export function lengthText(data: Measured): string[] {
  const { stats, picture } = measured(data) ?? {};
  return typeof stats?.length === "number" ? [`${rounded(stats.length)} ${lengths[unitOf(picture)]()}`] : [];
}

export function angleText(data: Measured): string[] {
  const angle = measured(data)?.stats.angle;
  return typeof angle === "number" && Number.isFinite(angle) ? [`${rounded(angle)}°`] : [];
}

export function areaText(data: Measured): string[] {
  const { stats, picture } = measured(data) ?? {};
  if (!stats || typeof stats.area !== "number") return [];
  const grey = picture?.modality === "CT" ? " HU" : "";
  return [
    t("ui.image.roi.area", { value: rounded(stats.area), unit: areas[unitOf(picture)]() }),
    t("ui.image.roi.mean", { value: rounded(stats.mean), unit: grey }),
    t("ui.image.roi.spread", { value: rounded(stats.stdDev), unit: grey }),
    t("ui.image.roi.range", { low: rounded(stats.min), high: rounded(stats.max), unit: grey }),
  ];
}
