/** The pictures of a case that matter: marked here, kept with the case. */
import { get, send } from "../core/api";
import type { Picture } from "./stacks";
import type { Shown } from "./windows";

export interface KeyImage {
  sop_instance_uid: string;
  frame: number;
  window: Shown | null;
  note: string;
  mine: boolean;
  at: string;
}

interface Answer {
  rows: KeyImage[];
}

export class KeyImages {
  rows: readonly KeyImage[] = [];
  private path = "";

  async open(caseId: string): Promise<void> {
    const path = `/api/v1/cases/${encodeURIComponent(caseId)}/key-images`;
    if (path === this.path) return;
    this.path = path;
    this.rows = [];
    const { rows } = await get<Answer>(path);
    if (path === this.path) this.rows = rows;
  }

  has(instance: string, frame: number): boolean {
    return this.rows.some((one) => one.sop_instance_uid === instance && one.frame === frame);
  }

  of(picture: Picture | undefined): KeyImage | undefined {
    const { instance, frame } = picture ?? {};
    return this.rows.find(
      (one) => one.sop_instance_uid === instance?.sop_instance_uid && one.frame === frame,
    );
  }

  async toggle(instance: string, frame: number, window: Shown | null): Promise<void> {
    await this.send({ sop_instance_uid: instance, frame, window, note: "", on: !this.has(instance, frame) });
  }

  async note(instance: string, frame: number, window: Shown | null, text: string): Promise<void> {
    await this.send({ sop_instance_uid: instance, frame, window, note: text, on: true });
  }

  private async send(body: Omit<KeyImage, "mine" | "at"> & { on: boolean }): Promise<void> {
    const { path } = this;
    const { rows } = await send<Answer>("POST", path, body);
    if (path === this.path) this.rows = rows;
  }
}
