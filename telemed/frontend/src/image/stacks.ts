/** Which pictures are leafed through together: slices of one size in one series, frames of one object; films alone. */
import type { Instance, Series } from "../core/types";
import { imageId } from "./loader";
import { instanceUrl } from "./source";

export interface Picture {
  id: string;
  instance: Instance;
  frame: number;
}

export interface Stack {
  /** Of the series that it is a part of. */
  series: string;
  number: number | null;
  title: string;
  modality: string;
  pictures: Picture[];
}

const SLICES: readonly string[] = ["CT", "MR", "PT", "NM"];

export function stacksOf(series: readonly Series[]): Stack[] {
  return series.flatMap((one) => {
    const pictures = one.instances.filter(({ kind, rendered_url: url }) => kind === "image" && url);
    const groups = new Map<string, Instance[]>();
    for (const instance of pictures) {
      const sliced = SLICES.includes(one.modality) && (instance.frames ?? 1) <= 1;
      const key = sliced ? `${instance.rows} ${instance.columns}` : instance.sop_instance_uid;
      groups.set(key, [...(groups.get(key) ?? []), instance]);
    }
    return [...groups.values()].map((group) => ({
      series: one.series_instance_uid,
      number: one.number,
      title: one.description,
      modality: one.modality,
      pictures: group.flatMap(framesOf),
    }));
  });
}

function framesOf(instance: Instance): Picture[] {
  const url = instanceUrl(instance.rendered_url ?? "");
  return Array.from({ length: Math.max(instance.frames ?? 1, 1) }, (_, at) => ({
    id: imageId({ instance: url, frame: at + 1 }),
    instance,
    frame: at + 1,
  }));
}
