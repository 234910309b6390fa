/** What stands at a measurement, with the unit that the picture allows. */
import { utilities } from "@cornerstonejs/core";
import { t } from "../core/page";
import type { Description } from "./description";
import { loadedOf } from "./loader";

type Stats = Readonly<Record<string, unknown>>;

interface Measured {
  cachedStats?: Readonly<Record<string, Stats>>;
}

function pictureOf(target: string): Description | undefined {
  // "imageId:" and the id, as the tools name what they measured on.
  return loadedOf(target.replace(/^imageId:/, ""))?.description;
}

function statsOf(data: Measured, target: string): Stats | undefined {
  return data.cachedStats?.[target];
}

/** Where nothing says how large a pixel is, a length is one of pixels, and says so. */
function unit(picture: Description | undefined): string {
  if (!picture?.spacing) return t("ui.image.unit.pixels");
  return picture.spacing.at === "patient" ? "mm" : t("ui.image.unit.detector");
}

const rounded = (value: unknown, digits = 1): string =>
  typeof value === "number" ? String(utilities.roundNumber(value, digits)) : "";

export function lengthText(data: Measured, target: string): string[] {
  const length = statsOf(data, target)?.length;
  return typeof length === "number" ? [`${rounded(length)} ${unit(pictureOf(target))}`] : [];
}

export function angleText(data: Measured, target: string): string[] {
  const angle = statsOf(data, target)?.angle;
  return typeof angle === "number" && Number.isFinite(angle) ? [`${rounded(angle)}°`] : [];
}

export function areaText(data: Measured, target: string): string[] {
  const stats = statsOf(data, target);
  if (!stats || typeof stats.area !== "number") return [];
  const picture = pictureOf(target);
  const grey = picture?.modality === "CT" ? " HU" : "";
  const area = picture?.spacing ? "mm²" : t("ui.image.unit.square_pixels");
  return [
    t("ui.image.roi.area", { value: rounded(stats.area), unit: area }),
    t("ui.image.roi.mean", { value: rounded(stats.mean), unit: grey }),
    t("ui.image.roi.spread", { value: rounded(stats.stdDev), unit: grey }),
    t("ui.image.roi.range", { low: rounded(stats.min), high: rounded(stats.max), unit: grey }),
  ];
}
