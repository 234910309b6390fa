/** Pictures for the viewports: Cornerstone asks by id, and keeps what was loaded as long as its cache has room. */
import { cache, imageLoader, metaData, type Types, utilities } from "@cornerstonejs/core";
import type { Description } from "./description";
import { type Grey, greyOf } from "./grey";
import { colourDraw, type Draw, greyDraw, sized } from "./paint";
import { coloured, decoded, description, type Place } from "./source";

const SCHEME = "telemed";

export interface Loaded {
  description: Description;
  /** Absent where the picture has colours. */
  grey: Grey | null;
}

/** Where an image comes from, and what its header says once it is known. */
interface Entry {
  place: Place;
  description?: Description;
}

const entries = new Map<string, Entry>();
// With the image, so that they leave the memory together.
const greys = new WeakMap<Types.IImage, Grey>();

export function imageId(place: Place): string {
  const id = `${SCHEME}:${place.instance}#${place.frame}`;
  if (!entries.has(id)) entries.set(id, { place });
  return id;
}

export function placeOf(id: string): Place | undefined {
  return entries.get(id)?.place;
}

export function loadedOf(id: string): Loaded | undefined {
  const found = entries.get(id)?.description;
  const image = cache.getImage(id);
  return found && image ? { description: found, grey: greys.get(image) ?? null } : undefined;
}

/** The header alone, for what stands beside the pictures. */
export async function known(id: string): Promise<Description> {
  const entry = entries.get(id);
  if (!entry) throw new Error(`no picture ${id}`);
  entry.description = await description(entry.place);
  return entry.description;
}

async function load(id: string): Promise<Types.IImage> {
  const entry = entries.get(id);
  if (!entry) throw new Error(`no picture ${id}`);
  const found = await known(id);
  if (found.isColor) return colourImage(id, found, await coloured(entry.place));
  const { picture, ...pixels } = await decoded(entry.place, found, !ahead.has(id));
  const grey = greyOf(found, pixels);
  const { own, low, high } = grey;
  const shown = { windowCenter: own.center, windowWidth: own.width, minPixelValue: low, maxPixelValue: high };
  const made = image(id, found, grey.values, shown, greyDraw(grey, picture));
  if (grey.values !== grey.keys) made.sizeInBytes += grey.keys.byteLength;
  if (picture) made.sizeInBytes += 4 * picture.width * picture.height;
  greys.set(made, grey);
  return made;
}

function colourImage(id: string, found: Description, picture: ImageBitmap): Types.IImage {
  const canvas = sized(picture.width, picture.height);
  const context = canvas.getContext("2d");
  if (!context) throw new Error("this browser has no canvas");
  context.drawImage(picture, 0, 0);
  const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
  const values = { windowCenter: 128, windowWidth: 256, minPixelValue: 0, maxPixelValue: 255, color: true };
  // As many values as pixels: tools that measure grey levels take the mean of the colours.
  const mean = Uint8Array.from(
    { length: data.length / 4 },
    (_, at) => ((data[4 * at] ?? 0) + (data[4 * at + 1] ?? 0) + (data[4 * at + 2] ?? 0)) / 3,
  );
  return image(id, found, mean, values, colourDraw(canvas));
}

function image(
  id: string,
  { rows, columns, spacing }: Description,
  values: Types.PixelDataTypedArray,
  more: Partial<Types.IImage>,
  render: Draw,
): Types.IImage {
  const voxelManager = utilities.VoxelManager.createImageVoxelManager({
    width: columns,
    height: rows,
    scalarData: values,
    numberOfComponents: 1,
  });
  return {
    imageId: id,
    rows,
    columns,
    height: rows,
    width: columns,
    // In modality units already, so nothing is left to scale; MONOCHROME1 is turned round while drawing.
    slope: 1,
    intercept: 0,
    preScale: { enabled: true, scaled: true, scalingParameters: { rescaleSlope: 1, rescaleIntercept: 0 } },
    invert: false,
    color: false,
    rgba: false,
    numberOfComponents: 1,
    rowPixelSpacing: spacing?.row ?? 1,
    columnPixelSpacing: spacing?.column ?? 1,
    sizeInBytes: values.byteLength,
    dataType: values.constructor.name,
    voxelManager,
    getPixelData: () => values,
    render,
    ...more,
  } as Types.IImage;
}

const ahead = new Set<string>();
const coming = new Map<string, Promise<Types.IImage>>();

/** Into the cache. A viewport is only handed what is there: what fails on Cornerstone's own way, nobody hears of. */
export async function ready(id: string): Promise<void> {
  if (cache.getImage(id)) return;
  const made = coming.get(id) ?? load(id);
  coming.set(id, made);
  try {
    await made;
    await imageLoader.loadAndCacheImage(id);
  } finally {
    coming.delete(id);
  }
}

export function isReady(id: string): boolean {
  return cache.getImage(id) !== undefined;
}

/** Before it is looked at; what goes wrong is told when it is. False when it is not there. */
export async function loadAhead(id: string): Promise<boolean> {
  ahead.add(id);
  try {
    await ready(id);
    return true;
  } catch (cause) {
    console.warn("a picture was not loaded ahead", cause);
    return false;
  } finally {
    ahead.delete(id);
  }
}

function provide(type: string, id: string): unknown {
  const found = typeof id === "string" ? entries.get(id)?.description : undefined;
  if (!found) return undefined;
  const { rows, columns, spacing, orientation, position, modality, number } = found;
  switch (type) {
    case "imagePlaneModule":
      return {
        rows,
        columns,
        rowPixelSpacing: spacing?.row ?? 1,
        columnPixelSpacing: spacing?.column ?? 1,
        rowCosines: orientation?.slice(0, 3) ?? [1, 0, 0],
        columnCosines: orientation?.slice(3) ?? [0, 1, 0],
        imageOrientationPatient: orientation ?? [1, 0, 0, 0, 1, 0],
        imagePositionPatient: position ?? [0, 0, 0],
        frameOfReferenceUID: found.frameOfReference || id,
        usingDefaultValues: !spacing,
      };
    case "imagePixelModule":
      return {
        samplesPerPixel: 1,
        photometricInterpretation: "MONOCHROME2",
        bitsAllocated: found.bitsAllocated,
        bitsStored: found.bitsStored,
        highBit: found.highBit,
        pixelRepresentation: Number(found.signed),
      };
    case "generalSeriesModule":
      return { modality };
    case "generalImageModule":
      return { instanceNumber: number };
    default:
      return undefined;
  }
}

export function register(): void {
  imageLoader.registerImageLoader(SCHEME, (id: string) => ({ promise: coming.get(id) ?? load(id) }) as never);
  metaData.addProvider(provide, 10_000);
}
